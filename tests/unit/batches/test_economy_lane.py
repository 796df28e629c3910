"""The economy lane: batches are sent once, followed, collected, repaired once, or named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from brightrun.batches.economy.model import MOST_TRIES, Submission
from brightrun.batches.model import BatchJob, ItemStatus, JobStatus
from brightrun.batches.workflow import WorkerResult
from brightrun.core.errors import ClaudeCallError, StorageError
from tests import builders as build
from tests.builders import OWNER
from tests.fakes.message_batches import EXPIRED, Answer, BatchedClaude, InMemoryMessageBatches
from tests.unit.batches.worker_setup import World

GOOD = build.a_completion()
BROKEN = build.a_completion("This is not JSON.")
CUT = build.a_completion(stop_reason="max_tokens")
REFUSED = build.a_refusal()
INVALID = ClaudeCallError("invalid_request", "Claude could not answer it.")
LOST = ClaudeCallError("network_error", "The connection failed.", status=0, retryable=True)
BUSY = ClaudeCallError(
    "rate_limit", "Claude answered 429.", status=429, retryable=True, overloaded=True,
    retry_after_s=90,
)  # fmt: skip
NO_KEY = ClaudeCallError("authentication", "Claude answered 401.", status=401, fatal=True)
ENDED = {ItemStatus.COMPLETED, ItemStatus.FAILED, ItemStatus.CANCELLED}


@dataclass
class Economy:
    """A world whose Claude answers in Message Batches, as `script` says of each request's turn."""

    script: dict[int, list[Answer]] = field(default_factory=dict)
    world: World = field(default_factory=World)
    turns: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.batches = InMemoryMessageBatches(self.answer, self.world.clock)
        self.world.claude = BatchedClaude(self.batches)  # type: ignore[assignment]
        self.prompts: dict[str, int] = {}

    def job(self, items: int = 4, **changes: object) -> BatchJob:
        job = self.world.job(items, lane="economy", concurrent_processing=1, **changes)
        plan = self.world.runner()._plan(job)
        for item in self.world.items(job):
            self.prompts[plan.prompt(item).user] = item.position
        return job

    def answer(self, user: str) -> Answer:
        first = next(prompt for prompt in self.prompts if user.startswith(prompt))
        answers = self.script.get(self.prompts[first], [GOOD])
        self.turns[first] += 1
        return answers[min(self.turns[first], len(answers)) - 1]

    def to_the_end(self, job: BatchJob, *, turns: int = 60) -> list[WorkerResult]:
        """Go on as the workflow would, waiting as it is told."""
        results = []
        for _ in range(turns):
            results.append(self.world.run_worker(job))
            if results[-1].status in {"wait", "continue"}:
                self.world.clock.advance(results[-1].wait_seconds)
                continue
            ended = self.world.finish(job)
            if ended.status == "finished":
                return results
            self.world.clock.advance(ended.wait_seconds)
        raise AssertionError("the job did not come to its end")

    def statuses(self, job: BatchJob) -> Counter[str]:
        return Counter(item.status.value for item in self.world.items(job))


def test_all_items_are_sent_in_one_message_batch_and_end_at_half_the_price() -> None:
    economy = Economy()
    job = economy.job(4)
    economy.to_the_end(job)
    now = economy.world.now(job)
    assert now.status is JobStatus.COMPLETED
    assert [len(batch.requests) for batch in economy.batches.all.values()] == [4]
    assert now.cost_micro_usd == 4 * (2000 * 2 + 1500 * 10) // 2
    assert {one.cost_micro_usd for one in economy.world.batches.conversations.values()} == {9500}
    assert economy.world.batches.submissions(OWNER, job.job_id) == []


def test_nothing_waits_in_the_worker_and_it_is_asked_after_less_and_less_often() -> None:
    economy = Economy()
    waits = [one.wait_seconds for one in economy.to_the_end(economy.job(2))[:-1]]
    assert waits[0] == 30
    assert waits == sorted(waits)
    assert waits[-1] == 300
    assert len(waits) < 25, "an hour takes few looks"


def test_the_requests_of_an_item_have_names_of_their_own_that_tell_its_attempt() -> None:
    economy = Economy(script={1: [BROKEN, GOOD]})
    job = economy.job(1)
    economy.to_the_end(job)
    item = economy.world.items(job)[0]
    assert economy.batches.paid == [f"{item.item_id}-1-1", f"{item.item_id}-1-2"]


def test_an_unusableanswer_is_asked_for_once_more_with_its_error_told() -> None:
    economy = Economy(script={2: [BROKEN, GOOD]})
    job = economy.job(2)
    economy.to_the_end(job)
    assert economy.statuses(job) == {"completed": 2}
    assert "could not be used" in economy.batches.asked[-1]
    assert economy.world.now(job).cost_micro_usd == 3 * 9500, "each answer is counted once"
    record = next(
        one for one in economy.world.batches.conversations.values() if one.cost_micro_usd > 9500
    )
    assert record.cost_micro_usd == 2 * 9500, "a conversation cost what all its answers cost"


def test_what_fails_again_is_not_sent_a_third_time() -> None:
    economy = Economy(script={1: [BROKEN], 2: [CUT], 3: [EXPIRED], 4: [EXPIRED, GOOD]})
    job = economy.job(4)
    economy.to_the_end(job)
    assert economy.statuses(job) == {"failed": 3, "completed": 1}
    assert [len(batch.requests) for batch in economy.batches.all.values()][0] == 4
    assert sum(len(batch.requests) for batch in economy.batches.all.values()) == 8


@pytest.mark.parametrize("final", [REFUSED, INVALID])
def test_what_cannot_be_repaired_is_named_at_once(final: Answer) -> None:
    economy = Economy(script={1: [final]})
    job = economy.job(2)
    economy.to_the_end(job)
    assert economy.statuses(job) == {"failed": 1, "completed": 1}
    assert len(economy.batches.all) == 1
    reason = final.reason if isinstance(final, ClaudeCallError) else "refused_by_claude"
    assert economy.world.items(job)[0].error_code == reason


def test_the_log_classifies_what_became_of_the_requests() -> None:
    economy = Economy(script={1: [CUT], 2: [REFUSED], 3: [BROKEN], 4: [INVALID], 5: [EXPIRED]})
    job = economy.job(6)
    economy.to_the_end(job)
    told = next(line for line in economy.world.log(job) if "has ended" in line)
    assert told.endswith("1 errored, 1 expired, 1 invalid, 1 refused, 1 succeeded, 1 truncated")


def test_a_large_job_is_divided_into_message_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brightrun.batches.economy.submit.MOST_REQUESTS", 80)
    economy = Economy()
    job = economy.job(200)
    economy.to_the_end(job)
    assert [len(batch.requests) for batch in economy.batches.all.values()] == [80, 80, 40]
    assert economy.world.now(job).successful_items == 200


def test_cancelling_ends_the_message_batch_and_keeps_what_wasanswered() -> None:
    economy = Economy()
    job = economy.job(4)
    economy.world.run_worker(job)
    economy.world.controls().cancel(OWNER, job.job_id)
    economy.to_the_end(job)
    assert economy.statuses(job) == {"completed": 2, "cancelled": 2}
    assert economy.world.now(job).status is JobStatus.CANCELLED
    assert economy.world.now(job).cost_micro_usd == 2 * 9500


def test_a_cancelled_job_with_a_message_batch_has_a_worker_in_its_next_run() -> None:
    economy = Economy()
    job = economy.job(2)
    economy.world.run_worker(job)
    assert economy.world.controls().cancel(OWNER, job.job_id).has_work


def test_pausing_sends_nothing_more_and_collects_what_was_sent() -> None:
    economy = Economy(script={1: [BROKEN, GOOD]})
    job = economy.job(2)
    economy.world.run_worker(job)
    economy.world.controls().pause(OWNER, job.job_id)
    economy.to_the_end(job)
    assert economy.world.now(job).status is JobStatus.PAUSED
    assert economy.statuses(job) == {"completed": 1, "failed": 1}
    assert len(economy.batches.all) == 1


def test_a_job_that_stops_at_its_first_failure_cancels_what_is_in_flight(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("brightrun.batches.economy.submit.MOST_REQUESTS", 2)
    monkeypatch.setattr("brightrun.batches.economy.submit.CLAIMED_TOGETHER", 2)
    economy = Economy(script={1: [REFUSED]})
    job = economy.job(4, error_handling="stop")
    economy.world.run_worker(job)
    economy.batches.all["msgbatch_1"].created_at -= timedelta(hours=1)
    economy.to_the_end(job)
    assert economy.world.now(job).status is JobStatus.FAILED
    assert economy.batches.all["msgbatch_2"].cancelled
    assert economy.statuses(job) == {"failed": 1, "completed": 2, "cancelled": 1}


def test_while_claude_accepts_no_batch_it_waits_as_long_as_asked_and_sends_once() -> None:
    economy = Economy()
    economy.batches.refusals = [BUSY]
    job = economy.job(2)
    first = economy.world.run_worker(job)
    assert (first.status, first.wait_seconds) == ("wait", 90)
    economy.to_the_end(job)
    assert len(economy.batches.all) == 1
    assert {item.attempts for item in economy.world.items(job)} == {1}


def test_an_error_that_no_call_survives_stops_the_job_with_its_reason() -> None:
    economy = Economy()
    economy.batches.refusals = [NO_KEY]
    job = economy.job(3)
    economy.to_the_end(job)
    now = economy.world.now(job)
    assert now.status is JobStatus.FAILED
    assert now.stop_reason is not None and "401" in now.stop_reason
    assert economy.batches.all == {}


def heard_by_nobody() -> Callable[[str], None]:
    """Lose the answer to the first creation of a batch."""
    lost: list[str] = []

    def after(name: str) -> None:
        if name == "Batches.create" and not lost:
            lost.append(name)
            raise LOST

    return after


def test_a_batch_whose_creation_nobody_heard_of_is_found_and_not_sent_again() -> None:
    economy = Economy()
    economy.batches.after = heard_by_nobody()
    job = economy.job(3)
    economy.to_the_end(job)
    assert len(economy.batches.all) == 1
    assert economy.statuses(job) == {"completed": 3}


def test_another_batch_with_as_many_requests_is_not_taken_for_it() -> None:
    economy = Economy()
    job = economy.job(3)

    def before(name: str) -> None:
        if name == "Batches.create" and not economy.batches.all:
            economy.batches.add([{"id": f"strange-{n}", "user": ""} for n in range(3)])
            raise LOST

    economy.batches.before = before
    economy.batches.answer = lambda user: GOOD if not user else economy.answer(user)
    economy.to_the_end(job)
    assert [len(batch.requests) for batch in economy.batches.all.values()] == [3, 3]
    assert economy.statuses(job) == {"completed": 3}


def test_a_submission_that_stays_unknown_fails_with_the_reason_and_is_not_sent_again() -> None:
    economy = Economy()
    economy.batches.after = heard_by_nobody()
    job = economy.job(2)
    economy.world.run_worker(job)
    economy.world.clock.advance(27 * 3600)
    economy.to_the_end(job)
    assert len(economy.batches.all) == 1
    assert {item.error_code for item in economy.world.items(job)} == {"submission_unknown"}


def test_a_message_batch_that_is_gone_fails_its_items_and_is_not_sent_again() -> None:
    economy = Economy()
    job = economy.job(2)
    economy.world.run_worker(job)
    economy.batches.all.clear()
    economy.to_the_end(job)
    assert {item.error_code for item in economy.world.items(job)} == {"results_unavailable"}
    assert economy.batches.all == {}


def test_results_that_can_never_be_read_fail_their_items_after_some_tries() -> None:
    economy = Economy()
    job = economy.job(2)

    def before(name: str) -> None:
        if name == "Batches.results":
            raise LOST

    economy.batches.before = before
    economy.to_the_end(job, turns=60)
    assert {item.error_code for item in economy.world.items(job)} == {"results_unavailable"}
    assert MOST_TRIES < 20


def test_another_worker_leaves_a_submission_alone_while_it_is_held() -> None:
    economy = Economy()
    job = economy.job(2)
    held = Submission("s", "2026-11-21T12:00:00.000Z", "another", 10**15)
    economy.world.batches.change_submission(job, None, held)
    result = economy.world.run_worker(job)
    assert result.status == "wait"
    assert economy.world.batches.submissions(OWNER, job.job_id)[0] == held


def test_a_capped_job_sends_what_the_cap_pays_for_at_its_most_and_then_more() -> None:
    economy = Economy()
    job = economy.job(4, max_cost_micro_usd=25_000, item_bound_micro_usd=12_000)
    economy.to_the_end(job)
    now = economy.world.now(job)
    assert [len(batch.requests) for batch in economy.batches.all.values()] == [2]
    assert now.cost_micro_usd == 2 * 9500 <= 25_000
    assert now.has_remainder


def test_a_storage_error_leaves_the_rest_for_the_next_worker_and_pays_nothing_twice() -> None:
    economy = Economy()
    job = economy.job(4)
    economy.world.run_worker(job)
    economy.world.clock.advance(3600)
    put = economy.world.files.put
    calls = iter(range(100))

    def failing(*args: object, **more: object) -> int:
        if next(calls) == 2:
            raise StorageError("PutObject", "SlowDown")
        return put(*args, **more)  # type: ignore[arg-type]

    economy.world.files.put = failing  # type: ignore[method-assign]
    with pytest.raises(StorageError):
        economy.world.run_worker(job)
    economy.to_the_end(job)
    assert economy.statuses(job) == {"completed": 4}
    assert len(economy.batches.all) == 1
    assert len(economy.world.records.entries) == 4, "each answer is logged once"


def test_a_retry_by_the_user_begins_anew() -> None:
    economy = Economy(script={1: [REFUSED, GOOD]})
    job = economy.job(1)
    economy.to_the_end(job)
    economy.world.controls().retry_failed(OWNER, job.job_id)
    economy.to_the_end(job)
    assert economy.statuses(job) == {"completed": 1}
    assert economy.batches.paid[-1].endswith("-2-1")
