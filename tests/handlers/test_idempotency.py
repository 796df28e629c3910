"""Idempotency-Key: what a repeated order does, and what is left of one that died half way."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from brightrun.batches.create_batch import MAX_REQUEST_S, BatchRequest, ParameterSet
from brightrun.core.errors import StorageError
from brightrun.wiring import clients, generate
from tests.aws import Aws
from tests.builders import OWNER, STRANGER, SteppedClock
from tests.handlers.faults import Calls, Moment
from tests.handlers.gateway import Answer, Api
from tests.handlers.seeds import Seeds, StartedRuns

KEY = {"Idempotency-Key": "order-1"}
ROC = {
    "persona_id": "overwhelmed_avoider",
    "emotional_arc_id": "confusion_to_clarity",
    "training_topic_id": "roth_ira_conversion",
}
PIE = {**ROC, "persona_id": "anxious_planner"}
ORDERS: dict[str, dict[str, Any]] = {
    "POST /api/conversations/generate-batch": {
        "name": "A batch",
        "parameterSets": [{"parameters": ROC}, {"parameters": PIE}],
        "concurrentProcessing": 2,
    },
    "POST /api/conversations/generate-with-scaffolding": ROC,
    "POST /api/conversations/generate": {
        "templateId": "00000000-0000-0000-0000-000000000000",
        "parameters": ROC,
    },
}
EVERY_ROUTE = pytest.mark.parametrize("route", ORDERS)
BATCH = "POST /api/conversations/generate-batch"
OTHER_BATCHES: list[dict[str, Any]] = [
    {"name": "Another batch"},
    {"parameterSets": [{"parameters": ROC}]},
    {"parameterSets": [{"parameters": PIE}, {"parameters": ROC}]},
    {"parameterSets": [{"parameters": ROC, "tier": "scenario"}, {"parameters": PIE}]},
    {"sharedParameters": {"persona_id": "pragmatic_optimist"}},
    {"concurrentProcessing": 3},
    {"errorHandling": "stop"},
    {"priority": "high"},
]


def order(api: Api, route: str, owner: str = OWNER, **changes: Any) -> Answer:
    return api(route, {**ORDERS[route], **changes}, owner=owner, headers=KEY)


@EVERY_ROUTE
def test_the_same_order_again_gives_the_same_job(
    api: Api, seeds: Seeds, runs: StartedRuns, route: str
) -> None:
    first, again = order(api, route), order(api, route)
    assert (first.status, again.status) == (202, 202)
    assert again.text == first.text
    assert seeds.rows("BatchJobsTable") == 1
    assert runs.names() == [f"{first.body['jobId']}-1"]


@pytest.mark.parametrize("change", OTHER_BATCHES, ids=lambda change: next(iter(change)))
def test_another_order_under_the_same_key_is_refused(
    api: Api, seeds: Seeds, runs: StartedRuns, change: dict[str, Any]
) -> None:
    order(api, BATCH)
    refused = order(api, BATCH, **change)
    assert (refused.status, refused.body["code"]) == (422, "idempotency_key_reused")
    assert seeds.rows("BatchJobsTable") == 1


@EVERY_ROUTE
def test_a_key_is_its_owners_alone(api: Api, seeds: Seeds, runs: StartedRuns, route: str) -> None:
    mine, theirs = order(api, route), order(api, route, STRANGER)
    assert (mine.status, theirs.status) == (202, 202)
    assert mine.body["jobId"] != theirs.body["jobId"]
    assert seeds.rows("BatchJobsTable") == 2


@EVERY_ROUTE
def test_without_a_key_every_order_is_a_new_job(
    api: Api, seeds: Seeds, runs: StartedRuns, route: str
) -> None:
    jobs = {api(route, ORDERS[route]).body["jobId"] for _ in range(3)}
    assert len(jobs) == seeds.rows("BatchJobsTable") == 3
    assert seeds.rows("IdempotencyTable") == 0


def test_a_key_is_forgotten_after_a_day(api: Api, clock: SteppedClock, runs: StartedRuns) -> None:
    first = order(api, BATCH).body["jobId"]
    clock.advance(timedelta(hours=23).total_seconds())
    assert order(api, BATCH).body["jobId"] == first
    clock.advance(timedelta(hours=2).total_seconds())
    assert order(api, BATCH).body["jobId"] != first


def test_an_order_that_is_refused_leaves_its_key_free(api: Api, runs: StartedRuns) -> None:
    assert order(api, BATCH, name="").status == 400
    assert order(api, BATCH).status == 202


def test_an_order_that_cannot_be_planned_is_refused_for_the_same_reason_each_time(
    api: Api, seeds: Seeds, runs: StartedRuns
) -> None:
    unknown: dict[str, Any] = {"parameterSets": [{"parameters": {**ROC, "persona_id": "nobody"}}]}
    first, again = order(api, BATCH, **unknown), order(api, BATCH, **unknown)
    assert (first.status, first.body["code"]) == (404, "unknown_scaffolding")
    assert again.text == first.text
    assert seeds.rows("BatchJobsTable") == 0


def test_a_repeated_order_shows_how_the_job_stands_now(api: Api, runs: StartedRuns) -> None:
    job_id = order(api, BATCH).body["jobId"]
    api(f"PATCH /api/conversations/batch/{job_id}", {"action": "pause"})
    again = order(api, BATCH)
    assert (again.status, again.body["status"]) == (202, "paused")


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_of_no_use_is_refused(api: Api, key: str) -> None:
    refused = api(BATCH, ORDERS[BATCH], headers={"Idempotency-Key": key})
    assert refused.status == 400
    assert refused.fields == {"idempotency-key"}


@pytest.mark.parametrize("key", ["a, b", "ключ", "0", "k" * 255])
def test_any_other_text_is_a_key(api: Api, runs: StartedRuns, key: str) -> None:
    headers = {"Idempotency-Key": key}
    jobs = {api(BATCH, ORDERS[BATCH], headers=headers).body["jobId"] for _ in range(2)}
    assert len(jobs) == 1


@pytest.mark.slow
@pytest.mark.parametrize("round_number", range(4))
def test_sixteen_orders_at_once_make_one_job(
    api: Api, seeds: Seeds, runs: StartedRuns, round_number: int
) -> None:
    creator = generate.batch_creator()
    wanted = BatchRequest(name="A batch", sets=[ParameterSet(*ROC.values())] * 3)
    together = threading.Barrier(16)

    def create() -> str | None:
        together.wait()
        try:
            return creator.create(OWNER, wanted, "order-1").job.job_id
        except StorageError:
            return None  # The first is still storing; a 503 asks to come back.

    with ThreadPoolExecutor(16) as pool:
        jobs = {future.result() for future in [pool.submit(create) for _ in range(16)]}
    (job_id,) = jobs - {None}
    assert creator.create(OWNER, wanted, "order-1").job.job_id == job_id
    assert seeds.rows("BatchJobsTable") == 1
    assert seeds.rows("BatchItemsTable") == 3
    # That a name is taken only once is Step Functions' promise; moto's check is not atomic.
    assert set(runs.names()) == {f"{job_id}-1"}


CALLS = [
    "PutItem",  # the key
    "GetItem",  # the job of an earlier try
    *["Query"] * 5,  # the scaffolding
    "PutObject",  # the plan
    "GetItem",
    "BatchWriteItem",  # the items
    "PutItem",  # the job
    "StartExecution",
]


def test_the_calls_of_an_order_are_those_whose_loss_is_tested(
    api: Api, aws: Aws, runs: StartedRuns
) -> None:
    calls = Calls(aws.dynamodb, clients.s3(), runs.client)
    with calls.watched():
        order(api, BATCH)
    assert calls.seen == CALLS


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(len(CALLS)))
def test_an_order_that_died_at_any_call_is_finished_by_its_repetition(
    api: Api,
    aws: Aws,
    clock: SteppedClock,
    seeds: Seeds,
    runs: StartedRuns,
    number: int,
    moment: Moment,
) -> None:
    with Calls(aws.dynamodb, clients.s3(), runs.client).watched((number, moment)):
        assert order(api, BATCH).status == 500
    clock.advance(MAX_REQUEST_S)
    finished = order(api, BATCH)
    assert finished.status == 202
    assert seeds.rows("BatchJobsTable") == 1
    job = aws.batches.job(OWNER, finished.body["jobId"])
    assert len(seeds.items(job)) == job.total_items == 2
    assert runs.names() == [f"{finished.body['jobId']}-1"]
    plan = aws.s3.get_object(Bucket="batch-logs", Key=f"{finished.body['jobId']}/plan.json")
    assert plan["ContentLength"] > 0


def test_a_repetition_keeps_away_while_the_first_try_may_still_run(
    api: Api, aws: Aws, clock: SteppedClock, seeds: Seeds, runs: StartedRuns
) -> None:
    with Calls(aws.dynamodb).watched((CALLS.index("BatchWriteItem") - 1, "before")):
        order(api, BATCH)
    early = order(api, BATCH)
    assert (early.status, early.headers["Retry-After"]) == (503, "1")
    assert seeds.rows("BatchItemsTable") == seeds.rows("BatchJobsTable") == 0
