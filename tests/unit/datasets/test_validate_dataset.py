"""The validation of a dataset's file, also when it is interrupted."""

from __future__ import annotations

import io
import json

import pytest

from brightrun.core.errors import StorageError
from tests.builders import OWNER
from tests.unit.datasets.dataset_setup import ROWS, Datasets


@pytest.fixture
def system() -> Datasets:
    return Datasets()


def test_the_outcome_is_stored_in_the_dataset(system: Datasets) -> None:
    dataset = system.confirmed()
    assert system.validate(dataset) == "ready"
    row = system.now(dataset)
    assert (row.status, row.format, row.training_ready) == ("ready", "conversation", True)
    assert (row.total_training_pairs, row.trainable_pairs) == (8, 4)
    assert row.avg_turns_per_conversation == 2.0
    assert row.total_tokens is not None
    assert row.avg_tokens_per_turn == round(row.total_tokens / 8, 1)
    assert (row.validated_at, row.updated_at) == ("2026-11-21T12:00:00.000Z",) * 2
    assert len(row.sample_data) == 3


def test_report_and_split_are_stored_beside_the_file(system: Datasets) -> None:
    dataset = system.confirmed()
    system.validate(dataset)
    row = system.now(dataset)
    prefix = f"{OWNER}/{dataset.dataset_id}/_validation/1/"
    assert (row.report_key, row.split_key) == (f"{prefix}report.json", f"{prefix}split.json")
    assert set(system.reports.objects) == {row.report_key, row.split_key}
    report = json.loads(system.reports.objects[str(row.report_key)].text)
    assert (report["status"], report["trainable_pairs"]) == ("ready", 4)
    split = json.loads(system.reports.objects[str(row.split_key)].text)
    assert (split["version"], len(split["validation_lines"])) == (1, 1)
    assert row.total_validation_pairs == split["validation_pairs"] == 1
    assert row.statistics["split"]["training_pairs"] == 3


def test_the_row_lists_the_first_ten_problems_and_the_report_all(system: Datasets) -> None:
    dataset = system.confirmed(ROWS + b"\nno json" * 25)
    assert system.validate(dataset) == "error"
    row = system.now(dataset)
    assert [problem["line"] for problem in row.validation_errors] == list(range(5, 15))
    assert str(row.error_message).startswith(
        "Found 25 errors, the first in line 5: This is not JSON ("
    )
    report = json.loads(system.reports.objects[str(row.report_key)].text)
    assert len(report["errors"]) == 25
    assert (row.split_key, row.total_validation_pairs) == (None, None)


@pytest.mark.parametrize("body", [b" ", b"\xff\xfe", b"{}", b"[" * 5000, b"\x00" * 100])
def test_a_file_that_is_none_ends_in_error_with_a_reason(system: Datasets, body: bytes) -> None:
    dataset = system.confirmed(body)
    assert system.validate(dataset) == "error"
    assert str(system.now(dataset).error_message).startswith("Found ")
    (notification,) = system.rows.notifications.notifications(
        OWNER, unread=True, limit=5, cursor=None
    ).records
    assert notification.type == "dataset_error"


@pytest.mark.parametrize("key", ["k" * 500_000, "\\ud800", "a/b~c", "\\u0000"])
def test_no_key_in_a_file_can_break_its_report(system: Datasets, key: str) -> None:
    row = ROWS.split(b"\n")[0][:-1] + f', "{key}": [{{"{key}": NaN}}], "{key}": 1}}'.encode()
    dataset = system.confirmed(b"\n".join([row] * 20))
    assert system.validate(dataset) == "error"
    settled = system.now(dataset)
    assert len(json.dumps(settled.validation_errors, ensure_ascii=False).encode()) < 20_000
    report = system.reports.objects[str(settled.report_key)].text
    assert len(report.encode()) < 200_000


def test_a_run_stores_its_outcome_once(system: Datasets) -> None:
    dataset = system.confirmed()
    assert [system.validate(dataset), system.validate(dataset)] == ["ready", "superseded"]
    assert system.validate(dataset, failed=True) == "superseded"
    assert system.rows.notifications.unread_count(OWNER) == 1


def test_an_older_run_changes_nothing(system: Datasets) -> None:
    first = system.confirmed()
    system.validate(first, failed=True)
    second = system.confirmer.confirm(OWNER, first.dataset_id)
    assert second.validation_run == 2
    assert system.validate(first) == "superseded"
    assert system.now(first).status == "validating"
    assert system.validate(second) == "ready"


def test_a_run_of_a_deleted_dataset_changes_nothing(system: Datasets) -> None:
    dataset = system.confirmed()
    system.deleter.delete(OWNER, dataset.dataset_id)
    assert system.validate(dataset) == "superseded"
    assert system.files.objects == {}


def test_a_broken_stream_leaves_the_run_to_the_next_attempt(system: Datasets) -> None:
    dataset = system.confirmed()
    opened = system.files.open

    class Breaking:
        def read(self, _: int, /) -> bytes:
            raise StorageError("GetObject", "ReadTimeoutError")

    system.files.open = lambda *_: Breaking()  # type: ignore[method-assign]
    with pytest.raises(StorageError):
        system.validate(dataset)
    assert system.now(dataset).status == "validating"
    system.files.open = opened  # type: ignore[method-assign]
    assert system.validate(dataset) == "ready"


def test_a_file_is_read_once_and_in_chunks(system: Datasets) -> None:
    line = ROWS.split(b"\n")[0] + b" " * 2000 + b"\n"
    dataset = system.confirmed(line * 6000)
    source, reads = io.BytesIO(line * 6000), list[int]()

    class Watched:
        def read(self, size: int, /) -> bytes:
            reads.append(size)
            return source.read(size)

    system.files.open = lambda *_: Watched()  # type: ignore[method-assign]
    assert system.validate(dataset) == "ready"
    assert dataset.file_size > 12_000_000
    assert len(reads) > 3
    assert max(reads) <= 4 * 1024 * 1024
