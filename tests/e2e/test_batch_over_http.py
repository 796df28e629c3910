"""A batch over real HTTP on the deployed templates: written, killed, throttled, steered."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.errors import CliError
from tests.e2e.conftest import SELECTION, Installation

pytestmark = pytest.mark.slow
ONE = {name: keys[:1] for name, keys in SELECTION.items()}
CRUEL_WORD = "quetzalcoatl-canary"


def statuses(items: list[dict[str, Any]]) -> Counter[str]:
    return Counter(item["status"] for item in items)


def wait_for(system: Installation, job_id: str, reached: Callable[[Any], bool]) -> Any:
    """Poll the status route until a state is reached; the batch's own end is the time limit."""
    while True:
        status = system.client.get(f"/api/conversations/batch/{job_id}/status", {})
        if reached(status["progress"]):
            return status
        assert status["status"] in {"queued", "processing", "paused"}, status


def assert_counters_equal_items(system: Installation, job_id: str) -> None:
    progress = system.client.get(f"/api/conversations/batch/{job_id}/status", {})["progress"]
    counted = statuses(system.items(job_id))
    assert progress["successful"] == counted["completed"]
    assert progress["failed"] == counted["failed"]
    assert progress["cancelled"] == counted["cancelled"]
    assert progress["queued"] == counted["queued"]
    assert progress["processing"] == counted["processing"]


def test_a_batch_is_written_from_choice_to_log(system: Installation) -> None:
    job_id = system.create_batch()
    status = system.follow(job_id)
    assert (status.status, status.successful, status.failed) == ("completed", 12, 0)
    assert status.simulated
    items = system.items(job_id)
    assert len({item["conversation_id"] for item in items}) == 12
    answer = system.client.get(
        f"/api/conversations/{items[0]['conversation_id']}", {"includeTurns": "true"}
    )
    assert answer["turns"][0]["role"] == "user"
    assert answer["conversation"]["id"] == answer["conversation"]["conversation_id"]
    lines = system.log(job_id)
    assert sum("completed (conversation:" in line for line in lines) == 12
    assert lines[-1].endswith("Batch job complete - 12 successful, 0 failed")
    stored = system.aws("s3").get_object(
        Bucket=system.output("BatchLogsBucketName"), Key=f"{job_id}/log.txt"
    )
    assert stored["Body"].read().decode().splitlines() == lines


def test_a_batch_killed_in_the_middle_goes_on_by_itself_and_ends_every_item_once(
    install: Callable[[], Installation],
) -> None:
    system = install()
    system.start(latency_seconds=1.0)
    job_id = system.create_batch(concurrentProcessing=1)
    wait_for(system, job_id, lambda progress: progress["processing"] > 0)
    system.kill()
    system.start(latency_seconds=0.2)
    status = system.follow(job_id)
    assert (status.status, status.successful) == ("completed", 12)
    assert_counters_equal_items(system, job_id)
    paid = Counter(system.paid_answers(job_id))
    assert set(paid.values()) == {1}
    assert len(paid) == 12
    ended = [line for line in system.log(job_id) if "completed (conversation:" in line]
    assert len(ended) == len(set(ended)) == 12


def test_what_was_written_is_there_after_a_stop_and_a_start(
    install: Callable[[], Installation],
) -> None:
    system = install()
    system.start()
    job_id = system.create_batch()
    system.follow(job_id)
    before = (system.items(job_id), system.log(job_id))
    system.stop()
    system.start()
    assert (system.items(job_id), system.log(job_id)) == before


def worker_processes(engine: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-ww", "-eo", "pid=,ppid=,args="], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    rows = [line.split(None, 2) for line in listed]
    parents = {int(pid): int(parent) for pid, parent, _ in rows}

    def belongs(pid: int) -> bool:
        while pid in parents and pid != engine:
            pid = parents[pid]
        return pid == engine

    return [int(pid) for pid, _, command in rows if "lambdas" in command and belongs(int(pid))]


def test_a_killed_worker_loses_nothing(install: Callable[[], Installation]) -> None:
    system = install()
    system.start(latency_seconds=1.0)
    job_id = system.create_batch()
    wait_for(system, job_id, lambda progress: progress["processing"] == 12)
    killed = worker_processes(system.pid)
    assert killed
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    status = system.follow(job_id)
    assert (status.status, status.successful) == ("completed", 12)
    assert set(Counter(system.paid_answers(job_id)).values()) == {1}


@pytest.mark.parametrize(
    ("fault", "failure_type", "reason"),
    [
        ({"truncate": 0.5}, "truncation", "max_tokens"),
        ({"refusal": "frontier_llm"}, "validation_error", "refused_by_claude"),
        ({"status": 400}, "api_error", "invalid_request"),
        ({"defect": "trailing_backslash"}, "truncation", "cut_off_turn"),
        ({"defect": "ends_on_user"}, "validation_error", "ends_on_user_turn"),
        ({"defect": "too_many_turns"}, "validation_error", "exchanges_out_of_range"),
    ],
)
def test_an_unusable_answer_fails_its_item_and_leaves_a_report(
    system: Installation, fault: dict[str, Any], failure_type: str, reason: str
) -> None:
    system.script_claude(fault, fault)
    job_id = system.create_batch(selection=ONE)
    status = system.follow(job_id)
    assert (status.status, status.successful, status.failed) == ("failed", 0, 1)
    failed = system.items(job_id, status="failed")
    assert failed[0]["error_code"] == reason
    failures = system.client.get("/api/failed-generations", {"run_id": job_id})["failures"]
    assert [(one["failure_type"], one["reason"]) for one in failures] == [(failure_type, reason)]
    link = system.client.get(f"/api/failed-generations/{failures[0]['id']}/download", {})
    assert link["download_url"].startswith("http://127.0.0.1")


@pytest.mark.parametrize(
    "fault",
    [
        {"truncate": 0.5},
        {"schema_violation": True},
        {"defect": "trailing_backslash"},
        {"defect": "ends_on_user"},
        {"stop_reason": "pause_turn"},
    ],
    ids=lambda fault: "-".join(map(str, next(iter(fault.items())))),
)
def test_an_answer_that_can_be_mended_is_asked_for_once_more(
    system: Installation, fault: dict[str, Any]
) -> None:
    system.script_claude(fault)
    job_id = system.create_batch()
    status = system.follow(job_id)
    assert (status.status, status.successful, status.failed) == ("completed", 12, 0)
    assert sorted(Counter(system.paid_answers(job_id)).values()) == [*[1] * 11, 2]
    assert {item["attempts"] for item in system.items(job_id)} == {1}


def test_a_batch_ends_at_its_cap_and_is_finished_with_a_higher_one(system: Installation) -> None:
    job_id = system.create_batch(maxCostUsd=0.4)
    ended = system.follow(job_id)
    assert ended.status == "completed"
    assert 0 < ended.successful < 12
    assert ended.successful + ended.cancelled == 12
    assert 0.1 < float(ended.cost_usd) <= 0.4
    assert "remain: raise the cap and resume" in ended.status_line
    path = f"/api/conversations/batch/{job_id}"
    system.client.patch(path, {"action": "resume", "max_cost_usd": 5})
    finished = system.follow(job_id)
    assert (finished.status, finished.successful) == ("completed", 12)
    assert set(Counter(system.paid_answers(job_id)).values()) == {1}
    assert_counters_equal_items(system, job_id)


def test_stop_ends_the_batch_at_its_first_failure(system: Installation) -> None:
    system.script_claude({"status": 400})
    job_id = system.create_batch(errorHandling="stop", concurrentProcessing=1)
    status = system.follow(job_id)
    assert status.status == "failed"
    assert status.failed == 1
    assert "Item" in str(status.stopped_reason)
    assert_counters_equal_items(system, job_id)


def test_a_paused_batch_claims_nothing_and_goes_on_when_resumed(
    install: Callable[[], Installation],
) -> None:
    system = install()
    system.start(latency_seconds=0.5)
    many = {**SELECTION, "training_topics": "all"}
    job_id = system.create_batch(selection=many, concurrentProcessing=1)
    wait_for(system, job_id, lambda progress: progress["successful"] > 0)
    path = f"/api/conversations/batch/{job_id}"
    assert system.client.patch(path, {"action": "pause"})["status"] == "paused"
    at_rest = wait_for(system, job_id, lambda progress: progress["processing"] == 0)
    assert at_rest["progress"]["queued"] > 0
    assert system.client.patch(path, {"action": "resume"})["status"] == "processing"
    status = system.follow(job_id)
    assert (status.status, status.successful) == ("completed", 120)


def test_a_cancelled_batch_keeps_what_succeeded(install: Callable[[], Installation]) -> None:
    system = install()
    system.start(latency_seconds=0.5)
    many = {**SELECTION, "training_topics": "all"}
    job_id = system.create_batch(selection=many, concurrentProcessing=1)
    wait_for(system, job_id, lambda progress: progress["successful"] > 0)
    answer = system.client.post(f"/api/batch-jobs/{job_id}/cancel", None)
    assert answer["job"]["status"] == "cancelled"
    done = wait_for_end(system, job_id)
    assert done["successful"] > 0
    assert done["cancelled"] > 0
    assert done["successful"] + done["cancelled"] + done["failed"] == 120
    assert_counters_equal_items_in_all(system, job_id, done)
    with pytest.raises(CliError):
        system.client.post(f"/api/batch-jobs/{job_id}/cancel", None)


def wait_for_end(system: Installation, job_id: str) -> dict[str, int]:
    """Poll until no item is open; the leases of those in work bound the wait."""
    while True:
        status = system.client.get(f"/api/conversations/batch/{job_id}/status", {})
        progress: dict[str, int] = status["progress"]
        if progress["queued"] + progress["processing"] == 0:
            return progress


def assert_counters_equal_items_in_all(
    system: Installation, job_id: str, progress: dict[str, int]
) -> None:
    path = f"/api/conversations/batch/{job_id}/items"
    pages = system.client.pages(path, "items", {}, 1000)
    counted = statuses([item for page in pages for item in page["items"]])
    assert counted["completed"] == progress["successful"]
    assert counted["cancelled"] == progress["cancelled"]


def test_failed_items_are_written_when_they_are_retried(system: Installation) -> None:
    system.script_claude({"status": 400}, {"status": 400})
    job_id = system.create_batch()
    assert system.follow(job_id).failed == 2
    answer = system.client.post(f"/api/batch-jobs/{job_id}/retry-failed", None)
    assert answer["requeued"] == 2
    status = system.follow(job_id)
    assert (status.status, status.successful, status.failed) == ("completed", 12, 0)


def test_a_workflow_started_twice_writes_every_conversation_once(system: Installation) -> None:
    job_id = system.create_batch()
    for _ in range(3):
        system.client.post(f"/api/batch-jobs/{job_id}/process-next", None)
        system.client.patch(f"/api/conversations/batch/{job_id}", {"action": "resume"})
    status = system.follow(job_id)
    assert (status.status, status.successful) == ("completed", 12)
    assert set(Counter(system.paid_answers(job_id)).values()) == {1}


def test_a_single_conversation_runs_the_same_workflow(system: Installation) -> None:
    accepted = system.client.post(
        "/api/conversations/generate-with-scaffolding",
        {
            "persona_id": "anxious_planner",
            "emotional_arc_id": "crisis_to_referral",
            "training_topic_id": "roth_ira_conversion",
        },
    )
    assert system.follow(accepted["jobId"]).status == "completed"
    path = f"/api/conversations/{accepted['conversation_id']}"
    turns = system.client.get(path, {"includeTurns": "true"})["turns"]
    assert any("988" in turn["content"] for turn in turns if turn["role"] == "assistant")


def test_no_prompt_and_no_password_reaches_a_log_file(system: Installation) -> None:
    system.client.patch(
        "/api/scaffolding/personas/anxious_planner",
        {"financial_situation": f"She keeps a ledger called {CRUEL_WORD}."},
    )
    system.script_claude({"status": 500}, {"status": 400}, {"truncate": 0.4})
    system.follow(system.create_batch())
    password = (system.folder / "password").read_text().strip()
    for log in Path(system.folder / "logs").iterdir():
        text = log.read_text(errors="replace")
        assert CRUEL_WORD not in text, log.name
        assert password not in text, log.name
