"""Retrying judgement jobs: whichever way a conversation comes to be judged, one job pays for it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from brightrun.aws.request_keys import MAX_REQUEST_S
from brightrun.batches.model import JobAction
from brightrun.core.errors import BeingJudgedError
from brightrun.wiring import batch_jobs
from tests import builders as build
from tests.aws import Aws
from tests.builders import OWNER, START, SteppedClock
from tests.handlers.gateway import Answer, Api
from tests.handlers.seeds import Seeds, numbered_id

pytestmark = pytest.mark.usefixtures("runs")

JUDGE = "POST /api/conversations/judge"
BOTH = [numbered_id(1), numbered_id(2)]


class Judgements:
    """Judgement jobs of two conversations, and how they end."""

    def __init__(self, api: Api, aws: Aws, seeds: Seeds) -> None:
        self._api = api
        self._aws = aws
        self._seeds = seeds
        for number in (1, 2):
            seeds.conversation(number)

    def order(self, *conversation_ids: str) -> Answer:
        return self._api(JUDGE, {"conversationIds": list(conversation_ids or BOTH)})

    def failed(self, *conversation_ids: str) -> str:
        """A job whose items all failed."""
        job_id = str(self.order(*conversation_ids).body["jobId"])
        self._apply(job_id, JobAction.BEGIN)
        self._seeds.completed(
            self._aws.batches.job(OWNER, job_id),
            *(build.failed() for _ in conversation_ids or BOTH),
        )
        self._apply(job_id, JobAction.FAIL)
        return job_id

    def fail_again(self, job_id: str) -> None:
        """End what was retried."""
        claims = self._aws.claims
        items = list(self._aws.batches.open_items(OWNER, job_id))
        for item in claims.claim(items, build.a_lease(), build.lines_for(items), START):
            build.end_item(claims, item, build.failed(), START)
        self._apply(job_id, JobAction.FAIL)

    def retry(self, job_id: str) -> Answer:
        return self._api(f"POST /api/batch-jobs/{job_id}/retry-failed")

    def seen(self, job_id: str) -> list[str]:
        return [self._api(f"GET /api/batch-jobs/{job_id}{part}").text for part in ("", "/log")]

    def open_items(self, *job_ids: str) -> int:
        return sum(len(list(self._aws.batches.open_items(OWNER, one))) for one in job_ids)

    def _apply(self, job_id: str, action: JobAction) -> None:
        self._aws.batches.apply(OWNER, job_id, action, START, build.a_line())


@pytest.fixture
def judgements(api: Api, aws: Aws, seeds: Seeds) -> Judgements:
    return Judgements(api, aws, seeds)


def is_refused(answer: Answer, holder: str) -> bool:
    refused = (answer.status, answer.body["code"]) == (409, "being_judged")
    return refused and answer.body["details"]["job_id"] == holder


def test_of_several_failed_jobs_for_a_conversation_one_is_retried(judgements: Judgements) -> None:
    first, *others = [judgements.failed() for _ in range(5)]
    assert judgements.retry(first).body["requeued"] == 2
    for other in others:
        before = judgements.seen(other)
        refused = judgements.retry(other)
        assert is_refused(refused, first)
        assert refused.headers["Retry-After"] == "30"
        assert judgements.seen(other) == before
    assert is_refused(judgements.order(), first)
    assert judgements.open_items(first, *others) == 2


def test_a_job_is_not_retried_while_a_newer_one_judges_its_conversation(
    judgements: Judgements,
) -> None:
    older = judgements.failed()
    newer = judgements.order(numbered_id(2)).body["jobId"]
    assert is_refused(judgements.retry(older), newer)
    assert judgements.open_items(older) == 0


def test_jobs_of_other_conversations_are_retried_beside_each_other(judgements: Judgements) -> None:
    one, other = judgements.failed(numbered_id(1)), judgements.failed(numbered_id(2))
    assert [judgements.retry(job).status for job in (one, other)] == [200, 200]


def test_a_job_that_failed_again_is_retried_again_at_once(judgements: Judgements) -> None:
    job = judgements.failed()
    for _ in range(3):
        assert judgements.retry(job).body["requeued"] == 2
        judgements.fail_again(job)


def test_when_the_retried_job_has_ended_another_may_be_retried(
    judgements: Judgements, clock: SteppedClock
) -> None:
    first, second = judgements.failed(), judgements.failed()
    judgements.retry(first)
    assert is_refused(judgements.retry(second), first)
    clock.advance(MAX_REQUEST_S)
    assert is_refused(judgements.retry(second), first)
    judgements.fail_again(first)
    assert judgements.retry(second).body["requeued"] == 2
    judgements.fail_again(second)
    assert judgements.order().status == 202


def test_a_retry_that_died_before_it_queued_anything_is_waited_for_no_longer_than_it_can_run(
    judgements: Judgements, aws: Aws, clock: SteppedClock
) -> None:
    first, second = judgements.failed(), judgements.failed()
    with pytest.MonkeyPatch.context() as dying:
        dying.setattr(aws.dynamodb, "transact_write_items", None)
        assert judgements.retry(first).status == 500
    assert is_refused(judgements.retry(second), first)
    clock.advance(MAX_REQUEST_S)
    assert judgements.retry(second).body["requeued"] == 2


def test_a_cancelled_job_reserves_nothing(api: Api, judgements: Judgements) -> None:
    cancelled = judgements.order().body["jobId"]
    api(f"POST /api/batch-jobs/{cancelled}/cancel")
    failed = judgements.failed()
    assert judgements.retry(cancelled).status == 400
    assert judgements.retry(failed).status == 200


@pytest.mark.slow
def test_of_retries_at_the_same_time_one_is_made(judgements: Judgements) -> None:
    jobs = [judgements.failed() for _ in range(5)]
    controls = batch_jobs.batch_controls()
    together = threading.Barrier(5)

    def retry(job_id: str) -> int:
        together.wait()
        try:
            return controls.retry_failed(OWNER, job_id)[1]
        except BeingJudgedError:
            return 0

    with ThreadPoolExecutor(5) as pool:
        assert sorted(pool.map(retry, jobs)) == [0, 0, 0, 0, 2]
    assert judgements.open_items(*jobs) == 2
