"""dataset: upload in one piece or in parts, resume, import, list, show, delete."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import BrightRun
from tests.cli.fake_system import Answer, FakeSystem, problem
from tests.cli.fake_training import BROKEN, DATASET, READY, FakeUploads, serve_datasets

pytestmark = pytest.mark.usefixtures("signed_in")

CONTENT = b"0123456789"


@pytest.fixture
def rows() -> Path:
    path = Path("rows.jsonl")
    path.write_bytes(CONTENT)
    return path


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.dataset_upload.POLL_S", 0.0)


def test_a_file_is_sent_whole_confirmed_and_waited_for(
    brightrun: BrightRun, system: FakeSystem, rows: Path
) -> None:
    uploads = FakeUploads(system)
    serve_datasets(system, uploads, {**READY, "status": "validating"}, READY)
    result = brightrun("dataset", "upload", str(rows), "--name", "Mine")
    assert result.exit_code == 0, result.stderr
    assert uploads.content() == CONTENT
    assert system.sent("POST", "/api/datasets")[0].body == {
        "name": "Mine",
        "description": "",
        "file_name": "rows.jsonl",
        "file_size": 10,
    }
    assert len(system.sent("POST", f"/api/datasets/{DATASET}/confirm")) == 1
    sent = system.sent("PUT", "/files/upload/whole")[0]
    assert (sent.headers["content-length"], "authorization" in sent.headers) == ("10", False)
    assert "Sent 10 of 10 bytes" in result.stdout
    assert "44" in result.stdout


def test_a_large_file_is_sent_in_parts(
    brightrun: BrightRun, system: FakeSystem, rows: Path
) -> None:
    uploads = FakeUploads(system, parts=3)
    serve_datasets(system, uploads)
    assert brightrun("dataset", "upload", str(rows)).exit_code == 0
    assert uploads.arrived == {"1": b"0123", "2": b"4567", "3": b"89"}


def test_an_upload_that_breaks_off_says_how_to_go_on_and_sends_only_what_is_missing(
    brightrun: BrightRun, system: FakeSystem, rows: Path
) -> None:
    uploads = FakeUploads(system, parts=3)
    serve_datasets(system, uploads)
    system.fail_next("PUT", "/files/upload/2", problem(400, "Refused.", "bad_digest"))
    broken = brightrun("dataset", "upload", str(rows))
    assert broken.exit_code == 5
    assert f"brightrun dataset upload rows.jsonl --resume {DATASET}" in broken.stderr
    assert set(uploads.arrived) == {"1"}
    resumed = brightrun("dataset", "upload", str(rows), "--resume", DATASET)
    assert resumed.exit_code == 0
    assert uploads.content() == CONTENT
    assert len(system.sent("PUT", "/files/upload/1")) == 1
    assert len(system.sent("POST", "/api/datasets")) == 1


def test_a_link_that_has_expired_is_replaced_by_a_fresh_one(
    brightrun: BrightRun, system: FakeSystem, rows: Path
) -> None:
    uploads = FakeUploads(system)
    serve_datasets(system, uploads)
    system.fail_next("PUT", "/files/upload/whole", Answer(403, b"<Error/>"))
    assert brightrun("dataset", "upload", str(rows)).exit_code == 0
    assert len(system.sent("GET", f"/api/datasets/{DATASET}/upload")) == 1
    assert uploads.content() == CONTENT


def test_another_file_is_not_mixed_into_a_broken_upload(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    serve_datasets(system, FakeUploads(system), {**READY, "status": "uploading"})
    Path("other.jsonl").write_bytes(b"abc")
    result = brightrun("dataset", "upload", "other.jsonl", "--resume", DATASET)
    assert result.exit_code == 2
    assert "3 bytes" in result.stderr
    assert "10" in result.stderr


@pytest.mark.parametrize("content", [None, b""])
def test_what_cannot_be_uploaded_is_refused_before_anything_is_sent(
    brightrun: BrightRun, system: FakeSystem, content: bytes | None
) -> None:
    if content is not None:
        Path("x.jsonl").write_bytes(content)
    assert brightrun("dataset", "upload", "x.jsonl").exit_code == 2
    assert system.requests == []


def test_a_file_that_is_not_ready_is_the_exit_code_and_its_problems_are_shown(
    brightrun: BrightRun, system: FakeSystem, rows: Path
) -> None:
    serve_datasets(system, FakeUploads(system), BROKEN)
    result = brightrun("dataset", "upload", str(rows))
    assert result.exit_code == 1
    assert "not_json" in result.stdout
    assert "Write one object." in result.stdout
    assert f"brightrun dataset report {DATASET}" in result.stdout


def test_a_training_file_becomes_a_dataset(brightrun: BrightRun, system: FakeSystem) -> None:
    serve_datasets(system, FakeUploads(system))
    result = brightrun("dataset", "import", "f-1", "--version", "2", "--json")
    assert json.loads(result.stdout)["data"]["status"] == "ready"
    sent = system.sent("POST", "/api/datasets/import-from-training-file")[0].body
    assert sent == {"training_file_id": "f-1", "version": 2}


def test_datasets_are_listed_by_status_and_part_of_the_name(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    serve_datasets(system, FakeUploads(system))
    result = brightrun("dataset", "list", "--status", "ready", "--search", "ro")
    assert DATASET in result.stdout
    query = system.sent("GET", "/api/datasets")[0].query
    assert (query["status"], query["search"]) == ("ready", "ro")


def test_a_dataset_is_deleted_only_when_that_is_meant(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    serve_datasets(system, FakeUploads(system))
    assert brightrun("dataset", "delete", DATASET, typed="n\n").exit_code == 130
    assert system.sent("DELETE", f"/api/datasets/{DATASET}") == []
    assert brightrun("dataset", "delete", DATASET, "--yes").exit_code == 0
    assert len(system.sent("DELETE", f"/api/datasets/{DATASET}")) == 1
