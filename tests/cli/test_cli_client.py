"""ApiClient against a server that fails, and the waits between attempts."""

import dataclasses
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from cli.batch_watching import BatchStatus, LogReader, follow_batch, follow_log
from cli.client import ApiClient
from cli.download import save_link
from cli.errors import NotFoundError, RefusedError, UnavailableError
from cli.retry import RetryPolicy, parse_retry_after
from tests.cli.fake_routes import DONE, JOB, RUNNING, serve_file, serve_list, serve_statuses
from tests.cli.fake_system import Answer, FakeSystem, Json, problem

JOBS = "/api/batch-jobs"


class OneToken:
    """A token that is accepted, and one that would not be."""

    def access_token(self, *, renew: bool = False) -> str:
        return "access-1" if renew else "access-0"


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def retry(waits: list[float]) -> RetryPolicy:
    return RetryPolicy(sleep=waits.append)


@pytest.fixture
def client(system: FakeSystem, retry: RetryPolicy) -> Iterator[ApiClient]:
    system.user_pool.valid_access_tokens.add("access-0")
    with ApiClient(system.url, OneToken(), retry) as connected:
        yield connected


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_read_is_repeated_after_trouble(
    client: ApiClient, system: FakeSystem, waits: list[float], status: int
) -> None:
    system.fail_next("GET", JOBS, Answer(status), Answer(status))

    assert client.get(JOBS)["success"] is True
    assert len(system.requests) == 3
    assert 0 <= waits[0] <= 0.5
    assert 0 <= waits[1] <= 1.0


def test_read_is_repeated_after_a_cut_connection(client: ApiClient, system: FakeSystem) -> None:
    system.fail_next("GET", JOBS, Answer(200, b'{"success": true}', cut_at=5))

    assert client.get(JOBS)["success"] is True


def test_retry_after_is_obeyed(client: ApiClient, system: FakeSystem, waits: list[float]) -> None:
    system.fail_next("GET", JOBS, Answer(429, headers={"retry-after": "7"}))

    client.get(JOBS)

    assert waits == [7.0]


def test_a_conflict_that_passes_is_waited_for(
    client: ApiClient, system: FakeSystem, waits: list[float]
) -> None:
    system.fail_next("GET", JOBS, Answer(409, headers={"retry-after": "1"}))

    client.get(JOBS)

    assert waits == [1.0]


def test_long_retry_after_ends_at_once_and_tells_when(
    client: ApiClient, system: FakeSystem, waits: list[float]
) -> None:
    system.fail_next("GET", JOBS, Answer(429, headers={"retry-after": "3600"}))

    with pytest.raises(UnavailableError) as caught:
        client.get(JOBS)

    assert waits == []
    assert "3600 seconds" in (caught.value.hint or "")


def test_full_disk_of_a_local_system_is_told_at_once_in_its_own_words(
    client: ApiClient, system: FakeSystem, waits: list[float]
) -> None:
    full = problem(507, "The disk is full. Free some space.", "disk_full")
    system.fail_next("POST", JOBS, dataclasses.replace(full, headers={"retry-after": "60"}))

    with pytest.raises(UnavailableError, match=r"The disk is full\. Free some space\.") as caught:
        client.post(JOBS, {}, "a-key")

    assert waits == []
    assert (caught.value.code, caught.value.hint) == ("disk_full", None)


def test_repeats_are_bounded(client: ApiClient, system: FakeSystem, waits: list[float]) -> None:
    system.fail_next("GET", JOBS, *[problem(503, "Busy.", "storage")] * 9)

    with pytest.raises(UnavailableError, match=r"Busy\. \(GET /api/batch-jobs, HTTP 503\)"):
        client.get(JOBS)

    assert len(system.requests) == 5
    assert len(waits) == 4


def test_unreachable_server_is_named(retry: RetryPolicy) -> None:
    with (
        ApiClient("http://127.0.0.1:9", OneToken(), retry) as client,
        pytest.raises(UnavailableError, match=r"http://127\.0\.0\.1:9/api/x got no answer"),
    ):
        client.get("/api/x")


@pytest.mark.parametrize(("status", "kind"), [(400, RefusedError), (403, RefusedError)])
def test_refusal_is_not_repeated(
    client: ApiClient, system: FakeSystem, status: int, kind: type[Exception]
) -> None:
    system.fail_next("GET", JOBS, Answer(status, b'{"message":"Forbidden"}'))

    with pytest.raises(kind, match="Forbidden"):
        client.get(JOBS)

    assert len(system.requests) == 1


def test_write_without_a_key_is_sent_once(client: ApiClient, system: FakeSystem) -> None:
    system.fail_next("POST", JOBS, Answer(503))

    with pytest.raises(UnavailableError):
        client.post(JOBS, {})

    assert len(system.requests) == 1


def test_missing_record_is_not_found(client: ApiClient) -> None:
    with pytest.raises(NotFoundError) as caught:
        client.get("/api/nowhere")

    assert caught.value.code == "not_found"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b""])
def test_answer_that_is_no_object_is_trouble(
    client: ApiClient, system: FakeSystem, body: bytes
) -> None:
    system.fail_next("GET", JOBS, *[Answer(200, body)] * 5)

    with pytest.raises(UnavailableError, match="JSON object"):
        client.get(JOBS)


def test_answer_that_lacks_a_field_names_it(client: ApiClient) -> None:
    with pytest.raises(UnavailableError, match="'total_jobs'"):
        client.get(JOBS)["total_jobs"]


def test_pages_thinned_by_a_filter_are_read_until_the_limit_is_reached(
    system: FakeSystem, client: ApiClient
) -> None:
    pages: list[Json] = [
        {"rows": [1], "next_cursor": "a"},
        {"rows": [], "next_cursor": "b"},
        {"rows": [2, 3], "next_cursor": "c"},
    ]
    left = iter(pages)
    system.route("GET", "/api/rows", lambda _, __: next(left))

    assert list(client.pages("/api/rows", "rows", limit=3)) == pages
    assert [one.query["limit"] for one in system.requests] == ["3", "2", "2"]


def test_address_with_a_path_is_kept(system: FakeSystem, retry: RetryPolicy) -> None:
    system.route("GET", "/stage/api/x", lambda _, __: {"success": True})
    with ApiClient(f"{system.url}/stage", OneToken(), retry) as client:
        assert client.get("/api/x") == {"success": True}


def test_download_that_never_arrives_whole_leaves_nothing(
    system: FakeSystem, client: ApiClient, retry: RetryPolicy, tmp_path: Path
) -> None:
    serve_file(system, "/api/link", "f.json", b"0123456789")
    system.route("GET", "/files/f.json", lambda _, __: Answer(200, b"01234"))
    target = tmp_path / "folder" / "f.json"
    target.parent.mkdir()

    with pytest.raises(UnavailableError, match="5 of 10 bytes"):
        save_link(client.get("/api/link"), target, retry)

    assert list(target.parent.iterdir()) == []


def test_download_cut_short_is_begun_again_from_its_start(
    system: FakeSystem, client: ApiClient, retry: RetryPolicy, tmp_path: Path
) -> None:
    serve_file(system, "/api/link", "f.json", b"0123456789")
    system.fail_next("GET", "/files/f.json", Answer(200, b"0123456789", cut_at=4))

    saved = save_link(client.get("/api/link"), tmp_path / "f.json", retry)

    assert saved.read_bytes() == b"0123456789"


def test_batch_is_followed_to_its_end(
    system: FakeSystem, client: ApiClient, waits: list[float]
) -> None:
    serve_statuses(system, RUNNING, RUNNING, DONE)
    seen: list[BatchStatus] = []

    last = follow_batch(client, JOB, seen.append, interval_s=3.0, sleep=waits.append)

    assert [one.status for one in seen] == ["processing", "processing", "completed"]
    assert (last.is_success, last.successful, str(last.cost_usd)) == (True, 4, "0.1528")
    assert waits == [3.0, 3.0]


def test_a_batch_in_which_nothing_moved_is_not_sent_again(
    system: FakeSystem, client: ApiClient
) -> None:
    running, done = (json.dumps(one).encode() for one in (RUNNING, DONE))
    status = f"/api/conversations/batch/{JOB}/status"
    system.fail_next(
        "GET",
        status,
        Answer(200, running, {"etag": 'W/"1"'}),
        Answer(304, b"", {"etag": 'W/"1"'}),
        Answer(503),
        Answer(304, b"", {"etag": 'W/"1"'}),
        Answer(200, done, {"etag": 'W/"2"'}),
    )
    seen: list[BatchStatus] = []

    follow_batch(client, JOB, seen.append, sleep=lambda _: None)

    assert [one.status for one in seen] == ["processing"] * 3 + ["completed"]
    sent = [one.headers.get("if-none-match") for one in system.sent("GET", status)]
    assert sent == [None, *['W/"1"'] * 4]


def test_growing_log_is_read_once_line_by_line(system: FakeSystem, client: ApiClient) -> None:
    lines = [f"line {number}" for number in range(30)]
    serve_list(system, f"/api/batch-jobs/{JOB}/log", "lines", lines)
    reader = LogReader(client, JOB)

    first = list(reader.new_lines())
    lines.insert(28, "a line that another worker wrote a little late")
    lines.append("line 30")

    assert first == [f"line {number}" for number in range(30)]
    assert list(reader.new_lines()) == [lines[28], "line 30"]
    assert list(reader.new_lines()) == []


def test_followed_log_holds_what_is_written_up_to_the_end(
    system: FakeSystem, client: ApiClient
) -> None:
    lines = ["one"]
    serve_list(system, f"/api/batch-jobs/{JOB}/log", "lines", lines)
    serve_statuses(system, RUNNING, DONE)

    def write_on(_: float) -> None:
        lines.extend(["two", "three"])

    assert list(follow_log(client, JOB, sleep=write_on)) == ["one", "two", "three"]


def test_retry_after_may_be_a_date() -> None:
    soon = datetime.now(UTC) + timedelta(seconds=20)

    assert 15 < parse_retry_after(format_datetime(soon, usegmt=True)) <= 20
    assert parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert parse_retry_after("soon") == 0.0
