"""One invocation of a worker."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from brightrun.batches.call_limit import MAX_REFUSALS
from brightrun.batches.claim_repository import Ended
from brightrun.batches.model import MAX_ATTEMPTS, BatchItem, ItemStatus, JobStatus
from brightrun.batches.plan import BatchPlan, PlanScaffoldingResolver
from brightrun.batches.workflow import MAX_LOOPS
from brightrun.claude.model import Completion
from brightrun.conversations.generation_log.model import GenerationLogEntry
from brightrun.core.errors import (
    BrightRunError,
    ClaudeCallError,
    RecordTooLargeError,
    StorageError,
)
from brightrun.core.ids import conversation_id
from tests import builders as build
from tests.builders import OWNER
from tests.fakes.batches import InMemoryBatches
from tests.fakes.external_services import InMemoryObjects, InMemoryRecords, ScriptedClaude
from tests.unit.batches.worker_setup import World

RATE_LIMIT = ClaudeCallError(
    "rate_limit",
    "Claude answered 429.",
    status=429,
    retryable=True,
    overloaded=True,
    retry_after_s=30,
)
SHORTLY = ClaudeCallError(
    "rate_limit",
    "Claude answered 429.",
    status=429,
    retryable=True,
    overloaded=True,
    retry_after_s=0.01,
)
SERVER_ERROR = ClaudeCallError("server_error", "Claude answered 500.", status=500, retryable=True)
BAD_KEY = ClaudeCallError("authentication", "Claude answered 401.", status=401, fatal=True)
BAD_REQUEST = ClaudeCallError("invalid_request", "Claude answered 400.", status=400)


UNREADABLE = ClaudeCallError(
    "unreadable_answer", "Not a message.", status=200, retryable=True, maybe_billed=True
)


def answer_of(conversation: dict[str, Any]) -> Any:
    return build.a_completion(json.dumps(conversation))


def test_a_worker_writes_every_conversation_of_its_job() -> None:
    world = World()
    job = world.job(4)
    result = world.run_worker(job)
    assert result.status == "drained"
    assert world.statuses(job) == [ItemStatus.COMPLETED] * 4
    assert world.claude.calls == 4


def test_the_first_worker_moves_the_job_from_queued_to_processing() -> None:
    world = World()
    job = world.job(1, status=JobStatus.QUEUED, started_at=None)
    world.run_worker(job)
    assert world.now(job).status is JobStatus.PROCESSING
    assert world.now(job).started_at is not None


def test_no_more_calls_are_in_flight_than_the_job_allows() -> None:
    world = World()
    world.run_worker(world.job(9, calls_per_worker=3))
    assert world.claude.most_at_once <= 3
    assert world.claude.calls == 9


class StuckObjects(InMemoryObjects):
    """Holds back the parsed conversation of the first item until the test lets it go."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self._first = True

    def put(self, key: str, body: str, **how: Any) -> int:
        if key.endswith("conversation.json") and self._first:
            self._first = False
            assert self.go_on.wait(10)
        return super().put(key, body, **how)


def test_the_next_call_starts_while_an_answer_is_stored() -> None:
    world = World(files=StuckObjects())
    job = world.job(2, calls_per_worker=1)

    class SecondCallLetsGo(ScriptedClaude):
        async def complete(self, *call: Any, **how: Any) -> Completion:
            if self.calls == 1:
                assert isinstance(world.files, StuckObjects)
                world.files.go_on.set()
            return await super().complete(*call, **how)

    world.claude = SecondCallLetsGo()
    world.run_worker(job)
    assert world.statuses(job) == [ItemStatus.COMPLETED] * 2
    assert world.claude.most_at_once == 1


def test_an_answer_is_worked_on_when_the_next_call_has_begun() -> None:
    calls_begun: list[int] = []

    class Watched(InMemoryObjects):
        def put(self, key: str, body: str, **how: Any) -> int:
            if key.endswith("conversation.json"):
                calls_begun.append(world.claude.calls)
            return super().put(key, body, **how)

    class SlowClaims(InMemoryBatches):
        def claim(self, *items: Any) -> list[BatchItem]:
            time.sleep(0.1)  # long enough for an answer that did not wait to be stored first
            return super().claim(*items)

    world = World(files=Watched(), batches=SlowClaims())
    world.run_worker(world.job(2, calls_per_worker=1))
    assert calls_begun == [2, 2]


def test_the_next_call_starts_while_the_log_of_calls_is_written() -> None:
    go_on = threading.Event()

    class SlowRecords(InMemoryRecords):
        def add_log_entries(self, entries: Sequence[GenerationLogEntry]) -> None:
            assert go_on.wait(10)
            super().add_log_entries(entries)

    world = World(records=SlowRecords())
    job = world.job(2, calls_per_worker=1)

    class SecondCallLetsGo(ScriptedClaude):
        async def complete(self, *call: Any, **how: Any) -> Completion:
            if self.calls == 1:
                go_on.set()
            return await super().complete(*call, **how)

    world.claude = SecondCallLetsGo()
    world.run_worker(job)
    assert world.statuses(job) == [ItemStatus.COMPLETED] * 2


def test_no_more_answers_wait_to_be_stored_than_calls_are_allowed() -> None:
    world = World(files=StuckObjects())
    job = world.job(9, calls_per_worker=1)
    held: list[int] = []

    class Counting(ScriptedClaude):
        async def complete(self, *call: Any, **how: Any) -> Completion:
            held.append(world.now(job).processing_items)
            if self.calls == 1:
                assert isinstance(world.files, StuckObjects)
                world.files.go_on.set()
            return await super().complete(*call, **how)

    world.claude = Counting()
    world.run_worker(job)
    assert world.statuses(job) == [ItemStatus.COMPLETED] * 9
    assert max(held) <= 2


@pytest.mark.parametrize("status", [JobStatus.PAUSED, JobStatus.CANCELLED, JobStatus.COMPLETED])
def test_a_job_that_accepts_no_claims_ends_the_invocation_before_a_call(
    status: JobStatus,
) -> None:
    world = World()
    assert world.run_worker(world.job(2, status=status)).status == "closed"
    assert world.claude.calls == 0


def test_persona_arc_topic_and_the_consultants_own_prompt_reach_claude() -> None:
    world = World()
    world.run_worker(world.job(1))
    prompt = world.claude.prompts[0]
    assert "Marcus Chen" in prompt.user
    assert "confusion 0.7-0.85" in prompt.user
    assert "exchanges: 3-5" in prompt.user
    assert "roth_ira_conversion" in prompt.user
    assert "Elena Morales" in prompt.system


def test_the_stored_conversation_has_the_personas_name_and_the_input_parameters() -> None:
    world = World()
    job = world.job(1)
    world.run_worker(job)
    key = conversation_id(world.items(job)[0].item_id)
    stored = json.loads(world.files.objects[f"{OWNER}/{key}/1-1/conversation.json"].text)
    assert list(stored) == ["conversation_metadata", "turns", "input_parameters"]
    metadata = stored["conversation_metadata"]
    assert metadata["client_persona"] == "Marcus Chen - The Overwhelmed Avoider"
    assert stored["input_parameters"]["emotional_arc_key"] == "confusion_to_clarity"
    assert stored["turns"] == build.a_conversation()["turns"]


def test_the_completion_is_stored_unparsed() -> None:
    text = json.dumps(build.a_conversation(), indent=3)
    world = World.scripted([build.a_completion(text)])
    job = world.job(1)
    world.run_worker(job)
    key = conversation_id(world.items(job)[0].item_id)
    assert world.files.objects[f"raw/{OWNER}/{key}/1-1.json"].text == text


def test_tokens_and_cost_come_from_the_returned_usage() -> None:
    world = World()
    job = world.job(1)
    world.run_worker(job)
    record = next(iter(world.batches.conversations.values()))
    # 2,000 tokens in at $2 and 1,500 out at $10 a million.
    assert record.cost_micro_usd == 2000 * 2 + 1500 * 10
    assert world.now(job).cost_micro_usd == record.cost_micro_usd
    entry = next(iter(world.records.entries.values()))
    assert (entry.status, entry.input_tokens, entry.output_tokens) == ("success", 2000, 1500)


def test_the_record_keeps_the_scaffolding_and_the_system_prompt_that_were_used() -> None:
    world = World()
    job = world.job(1)
    world.run_worker(job)
    record = next(iter(world.batches.conversations.values()))
    snapshot = PlanScaffoldingResolver(world.logs, world.files).snapshot(record)
    assert snapshot["persona"]["persona_key"] == "overwhelmed_avoider"
    assert snapshot["system_prompt"] == world.claude.prompts[0].system


def test_the_plan_tells_what_a_conversation_was_asked_for_with() -> None:
    world = World()
    job = world.job(1)
    world.run_worker(job)
    entry = next(iter(world.records.entries.values()))
    assert entry.request is None
    plan = BatchPlan.model_validate_json(world.logs.objects[job.plan_key].text)
    assert plan.prompt(world.items(job)[0]) == world.claude.prompts[0]


def refused(completion: Any, calls: int = 2) -> World:
    world = World.scripted([completion] * 2)
    job = world.job(1)
    world.run_worker(job)
    assert world.statuses(job) == [ItemStatus.FAILED]
    assert world.claude.calls == calls
    return world


@pytest.mark.parametrize(
    ("completion", "failure_type", "reason", "calls"),
    [
        (build.a_completion("{", stop_reason="max_tokens"), "truncation", "max_tokens", 2),
        (
            build.a_completion("{", stop_reason="model_context_window_exceeded"),
            "truncation",
            "model_context_window_exceeded",
            1,
        ),
        (build.a_completion(stop_reason="pause_turn"), "truncation", "unexpected_stop_reason", 2),
        (
            build.a_completion("", stop_reason="refusal", refusal_category="frontier_llm"),
            "validation_error",
            "refused_by_claude",
            1,
        ),
        (build.a_completion("no json"), "parse_error", "invalid_json", 2),
        (build.a_completion("{}"), "validation_error", "schema_violation", 2),
    ],
)
def test_an_unusable_answer_leaves_a_failed_generation_and_its_report(
    completion: Any, failure_type: str, reason: str, calls: int
) -> None:
    world = refused(completion, calls)
    failure = next(iter(world.batches.failures.values()))
    assert (failure.failure_type, failure.reason) == (failure_type, reason)
    report = json.loads(world.reports.objects[failure.raw_file_path].text)
    assert report["error_report"]["failure_type"] == failure_type
    assert report["extracted_content"] == completion.text
    assert report["request_context"]["prompt"] == world.claude.prompts[0].user


def test_the_cost_of_a_refused_answer_is_counted() -> None:
    world = refused(build.a_completion("no json"))
    assert [entry.cost_micro_usd for entry in world.records.entries.values()] == [19_000] * 2
    job = world.batches.jobs(OWNER, status=None, limit=1, cursor=None).records[0]
    assert (job.cost_micro_usd, job.input_tokens) == (38_000, 4000)
    failure = next(iter(world.batches.failures.values()))
    assert failure.input_tokens == 2000


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (build.a_completion("no json"), "The answer is not JSON"),
        (build.a_completion("{}"), "Field required"),
        (build.a_completion(stop_reason="pause_turn"), "pause_turn"),
    ],
)
def test_an_answer_that_can_be_mended_is_asked_for_once_more_with_the_error(
    bad: Any, told: str
) -> None:
    world = World.scripted([bad])
    job = world.job(1)
    world.run_worker(job)
    assert world.statuses(job) == [ItemStatus.COMPLETED]
    first, second = world.claude.prompts
    assert second.user.startswith(first.user)
    assert told in second.user.removeprefix(first.user)


def test_an_answer_that_was_cut_is_asked_for_once_more_with_more_room() -> None:
    world = World.scripted([build.a_completion("{", stop_reason="max_tokens")])
    job = world.job(1)
    world.run_worker(job)
    first, second = world.claude.prompts
    assert second == dataclasses.replace(first, max_output_tokens=36_864)
    assert world.statuses(job) == [ItemStatus.COMPLETED]


def test_both_answers_of_a_mended_conversation_are_paid_and_counted() -> None:
    world = World.scripted([build.a_completion("no json")])
    job = world.job(1)
    world.run_worker(job)
    record = next(iter(world.batches.conversations.values()))
    assert (record.cost_micro_usd, record.input_tokens) == (38_000, 4000)
    assert world.now(job).cost_micro_usd == 38_000
    assert len(world.records.entries) == 2
    assert record.raw_response_path.endswith("/1-1-mending.json")


def test_a_worker_that_dies_while_it_mends_has_neither_answer_paid_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World.scripted([build.a_completion("no json")])
    dies_before_completing(world, monkeypatch)
    job = world.batches.jobs(OWNER, status=None, limit=1, cursor=None).records[0]
    world.clock.advance(61)
    world.run_worker(job)
    assert world.statuses(job) == [ItemStatus.COMPLETED]
    assert world.claude.calls == 2
    assert world.now(job).cost_micro_usd == 38_000


def test_a_repetition_that_claude_refuses_waits_and_mends_the_answer() -> None:
    world = World.scripted([build.a_completion("no json"), SHORTLY])
    job = world.job(1)
    world.run_worker(job)
    assert world.statuses(job) == [ItemStatus.COMPLETED]
    assert world.claude.calls == 3


def test_nothing_is_mended_in_a_job_that_was_cancelled_meanwhile() -> None:
    world = World()
    job = world.job(1)

    class CancelledMeanwhile(ScriptedClaude):
        async def complete(self, *call: Any, **how: Any) -> Completion:
            world.controls().cancel(OWNER, job.job_id)
            return await super().complete(*call, **how)

    world.claude = CancelledMeanwhile([build.a_completion("no json")])
    world.run_worker(job)
    assert world.claude.calls == 1
    assert world.statuses(job) == [ItemStatus.FAILED]


def test_an_api_error_leaves_a_failed_generation_too() -> None:
    world = World.scripted([BAD_REQUEST])
    job = world.job(1)
    world.run_worker(job)
    failure = next(iter(world.batches.failures.values()))
    assert (failure.failure_type, failure.reason) == ("api_error", "invalid_request")
    assert world.claude.calls == 1
    assert next(iter(world.records.entries.values())).status == "failed"


def test_a_retryable_error_requeues_the_item_and_the_others_continue() -> None:
    world = World.scripted([SERVER_ERROR])
    job = world.job(3, calls_per_worker=1)
    assert world.run_worker(job).status == "drained"
    assert sorted(world.statuses(job)) == ["completed", "completed", "queued"]
    assert any("attempt 1 of 4 failed" in line for line in world.log(job))


def test_a_requeued_item_is_generated_at_its_retry_time() -> None:
    world = World.scripted([SERVER_ERROR])
    job = world.job(1)
    world.run_worker(job)
    assert world.run_worker(job).status == "drained"
    assert world.claude.calls == 1
    world.clock.advance(10)
    world.run_worker(job)
    assert world.statuses(job) == [ItemStatus.COMPLETED]
    assert world.claude.calls == 2


def test_an_item_is_tried_four_times_and_then_fails() -> None:
    world = World.scripted([SERVER_ERROR] * 10)
    job = world.job(1)
    for _ in range(10):
        world.run_worker(job)
        world.clock.advance(1000)
    assert world.claude.calls == MAX_ATTEMPTS
    assert world.statuses(job) == [ItemStatus.FAILED]
    assert world.items(job)[0].error_code == "server_error"


def test_an_answer_that_was_perhaps_billed_is_asked_for_once_more_and_then_fails() -> None:
    world = World.scripted([UNREADABLE] * 10)
    job = world.job(1)
    for _ in range(10):
        world.run_worker(job)
        world.clock.advance(1000)
    assert world.claude.calls == 2
    assert world.items(job)[0].error_code == "unreadable_answer"


def test_a_busy_claude_does_not_use_up_the_one_repetition_of_an_unreadable_answer() -> None:
    world = World.scripted([RATE_LIMIT, UNREADABLE])
    job = world.job(1)
    for _ in range(3):
        world.run_worker(job)
        world.clock.advance(1000)
    assert world.statuses(job) == [ItemStatus.COMPLETED]
    assert world.claude.calls == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"emotional_context": {"primary_emotion": "sad" * 200_000, "intensity": 0.5}},
        {"turn_number": int("9" * 4000)},
        {"x" * 500_000: 1},
    ],
    ids=["emotion", "number", "unknown-field"],
)
def test_an_answer_that_no_row_could_hold_fails_by_name_after_one_call(
    changes: dict[str, Any],
) -> None:
    conversation = build.a_conversation()
    conversation["turns"][0] |= changes
    world = refused(answer_of(conversation))
    failure = next(iter(world.batches.failures.values()))
    assert failure.failure_type == "validation_error"
    assert len(failure.error_message) <= 1000


def test_a_conversation_that_no_row_can_hold_fails_by_name_after_one_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    job = world.job(1)
    complete = world.batches.complete

    def refuses(ended: Sequence[Ended], now: datetime) -> dict[int, BrightRunError]:
        too_large: dict[int, BrightRunError] = {
            item.position: RecordTooLargeError() for item, outcome in ended if outcome.conversation
        }
        return too_large | complete([one for one in ended if not one[1].conversation], now)

    monkeypatch.setattr(world.batches, "complete", refuses)
    world.run_worker(job)
    assert world.items(job)[0].error_code == "record_too_large"
    assert world.claude.calls == 1
    assert world.now(job).cost_micro_usd > 0
    assert not [key for key in world.files.objects if not key.startswith("raw/")]


def test_the_others_go_on_while_a_refused_call_waits() -> None:
    world = World.scripted([SHORTLY])
    job = world.job(5, calls_per_worker=1)
    assert world.run_worker(job).status == "drained"
    assert world.statuses(job) == [ItemStatus.COMPLETED] * 5
    assert world.claude.calls == 6
    assert {item.attempts for item in world.items(job)} == {1}


def test_every_refused_call_is_in_the_log_of_calls() -> None:
    world = World.scripted([SHORTLY, SHORTLY])
    job = world.job(1)
    world.run_worker(job)
    statuses = [entry.status for entry in world.records.entries.values()]
    assert sorted(statuses) == ["rate_limited", "rate_limited", "success"]


def test_an_item_that_is_refused_again_and_again_makes_way_and_is_tried_later() -> None:
    world = World.scripted([SHORTLY] * MAX_REFUSALS)
    job = world.job(1)
    result = world.run_worker(job)
    assert (result.status, world.statuses(job)) == ("wait", [ItemStatus.QUEUED])
    assert world.claude.calls == MAX_REFUSALS


def test_the_next_invocation_begins_with_as_many_calls_as_claude_carried() -> None:
    world = World.scripted([SHORTLY] * 4)
    job = world.job(9, calls_per_worker=4)
    result = world.run_worker(job, seconds_left=lambda: 890.0 if world.claude.calls < 4 else 200.0)
    assert (result.status, result.calls_in_flight) == ("wait", 3)


def test_no_refused_call_is_repeated_once_the_job_is_paused() -> None:
    world = World()
    job = world.job(1)

    class PausedMeanwhile(ScriptedClaude):
        async def complete(self, *call: Any, **how: Any) -> Completion:
            if self.calls == 0:
                world.controls().pause(OWNER, job.job_id)
            return await super().complete(*call, **how)

    world.claude = PausedMeanwhile([SHORTLY])
    world.run_worker(job)
    assert world.claude.calls == 1
    assert world.statuses(job) == [ItemStatus.QUEUED]


def test_no_call_is_made_for_as_long_as_a_throttled_claude_asks() -> None:
    world = World.scripted([RATE_LIMIT])
    job = world.job(5, calls_per_worker=1)
    result = world.run_worker(job)
    assert result.status == "wait"
    assert 30 <= result.wait_seconds <= 33
    assert world.claude.calls == 1


def test_a_bad_key_stops_the_whole_job_after_one_call() -> None:
    world = World.scripted([BAD_KEY])
    job = world.job(5, calls_per_worker=1)
    assert world.run_worker(job).status == "closed"
    assert world.claude.calls == 1
    assert "Claude answered 401" in (world.now(job).stop_reason or "")


def test_error_handling_stop_claims_no_more_items_after_a_failure() -> None:
    world = World.scripted([build.a_completion("no json")] * 2)
    job = world.job(5, calls_per_worker=1, error_handling="stop")
    assert world.run_worker(job).status == "closed"
    assert world.statuses(job)[0] is ItemStatus.FAILED
    assert world.claude.calls == 2


def test_error_handling_continue_generates_the_rest() -> None:
    world = World.scripted([build.a_refusal()])
    job = world.job(5, calls_per_worker=1)
    world.run_worker(job)
    assert sorted(world.statuses(job)) == ["completed"] * 4 + ["failed"]


def test_no_item_is_claimed_when_too_little_time_is_left_for_a_call() -> None:
    world = World()
    job = world.job(2)
    assert world.run_worker(job, seconds_left=lambda: 200.0).status == "continue"
    assert world.claude.calls == 0


def test_the_last_loop_of_a_worker_hands_over() -> None:
    world = World()
    job = world.job(2)
    result = world.run_worker(job, loop=MAX_LOOPS - 1, seconds_left=lambda: 200.0)
    assert result.status == "handover"


def dies_before_completing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_answer(*_: Any) -> None:
        raise StorageError("TransactWriteItems", "the worker was killed")

    with monkeypatch.context() as patched:
        patched.setattr(world.batches, "complete", no_answer)
        with pytest.raises(StorageError):
            world.run_worker(world.job(1))


def test_a_stored_completion_is_not_requested_again_after_its_worker_died(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    dies_before_completing(world, monkeypatch)
    job = world.batches.jobs(OWNER, status=None, limit=1, cursor=None).records[0]
    assert world.statuses(job) == [ItemStatus.PROCESSING]
    world.clock.advance(61)
    world.run_worker(job)
    assert world.statuses(job) == [ItemStatus.COMPLETED]
    assert world.claude.calls == 1
    assert len(world.records.entries) == 1


def test_a_retry_of_a_refused_answer_requests_a_new_completion() -> None:
    world = World.scripted([build.a_completion("no json")] * 2)
    job = world.job(1)
    world.run_worker(job)
    world.controls().retry_failed(OWNER, job.job_id)
    world.run_worker(job)
    assert world.statuses(job) == [ItemStatus.COMPLETED]
    assert world.claude.calls == 3


def test_a_worker_that_lost_its_item_removes_its_own_file_and_no_other() -> None:
    world = World()
    job = world.job(1)

    class Stalled(InMemoryObjects):
        def put(self, key: str, body: str, **how: Any) -> int:
            size = super().put(key, body, **how)
            if key.endswith("1-1/conversation.json"):  # its lease ends, and another one goes on
                world.clock.advance(61)
                world.run_worker(job)
            return size

    world.files = Stalled()
    world.run_worker(job)
    (record,) = world.batches.conversations.values()
    assert record.file_path.endswith("1-2/conversation.json")
    assert set(world.files.objects) == record.object_keys()
    assert world.claude.calls == 1


def test_an_item_that_kills_every_worker_ends_as_failed() -> None:
    world = World()
    job = world.job(1)
    for number in range(MAX_ATTEMPTS):
        items = list(world.batches.open_items(OWNER, job.job_id))
        world.batches.next_items(OWNER, job.job_id, 1)
        lease = build.a_lease(f"dead-{number}", at=world.clock.now)
        world.batches.claim(items, lease, build.lines_for(items), world.clock.now)
        world.clock.advance(61)
    world.run_worker(job)
    assert world.items(job)[0].error_code == "workers_lost"
    assert world.claude.calls == 0
