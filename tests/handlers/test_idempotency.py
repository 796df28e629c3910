"""Idempotency-Key: what a repeated order does, and what is left of one that died half way."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest

from brightrun.aws.request_keys import MAX_REQUEST_S
from brightrun.batches.create_batch import BatchRequest
from brightrun.batches.create_judgements import JudgementRequest
from brightrun.batches.planner import ParameterSet
from brightrun.catalog.gpu_instances import GpuConfig
from brightrun.core.errors import BeingJudgedError, RequestInProgressError
from brightrun.core.ids import time_ordered_id
from brightrun.training.create_training_job import TrainingJobRequest
from brightrun.wiring import clients, generate, jobs
from infra.routes import ROUTES
from tests.api.test_openapi_document import OPERATIONS, normalised
from tests.aws import Aws
from tests.builders import OWNER, START, STRANGER, SteppedClock
from tests.cli.fake_system import SPENDING as PATHS_WITH_A_KEY
from tests.effort import effort
from tests.handlers.faults import Calls, Moment
from tests.handlers.gateway import Answer, Api
from tests.handlers.seeds import Seeds, StartedRuns, numbered_id

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
    {"callsInFlight": 3},
    {"maxCostUsd": 5.0},
    {"errorHandling": "stop"},
    {"priority": "high"},
]


Prepare = Callable[[Seeds, str], object]


@dataclass(frozen=True)
class Spending:
    """A route whose effect costs money: a body, another one, and how its job is found.

    `rows` is what one request stores in `table`.
    """

    body: dict[str, Any]
    other: dict[str, Any]
    table: str = "BatchJobsTable"
    rows: int = 1
    prepare: Prepare = lambda *_: None

    def job_id(self, answer: Answer) -> str:
        found = answer.body.get("trainingFile") or answer.body.get("data") or {}
        return str(answer.body.get("jobId") or found["id"])


def _conversations(seeds: Seeds, owner: str) -> None:
    for number in (1, 2):
        seeds.conversation(number + 10 * (owner != OWNER), owner_id=owner)


def _enriched(seeds: Seeds, owner: str) -> None:
    seeds.enriched(1 + 10 * (owner != OWNER), owner_id=owner)


def _dataset(seeds: Seeds, owner: str) -> None:
    seeds.dataset(1 + 10 * (owner != OWNER), owner_id=owner)


H100 = {"gpu_config": {"type": "H100", "count": 1}}
SPENDING: dict[str, Spending] = {
    BATCH: Spending(ORDERS[BATCH], {**ORDERS[BATCH], "name": "Another batch"}),
    "POST /api/conversations/generate-with-scaffolding": Spending(ROC, PIE),
    "POST /api/conversations/generate": Spending(
        ORDERS["POST /api/conversations/generate"],
        {**ORDERS["POST /api/conversations/generate"], "parameters": PIE},
    ),
    "POST /api/conversations/judge": Spending(
        {"conversationIds": [numbered_id(1)]},
        {"conversationIds": [numbered_id(2)]},
        prepare=_conversations,
    ),
    "POST /api/jobs": Spending(
        {"dataset_id": numbered_id(1), **H100},
        {"dataset_id": numbered_id(1), **H100, "name": "Another"},
        table="TrainingJobsTable",
        prepare=_dataset,
    ),
    "POST /api/training-files": Spending(
        {"name": "First", "conversation_ids": [numbered_id(1)]},
        {"name": "Second", "conversation_ids": [numbered_id(1)]},
        table="TrainingFilesTable",
        rows=2,  # the file, and its name
        prepare=_enriched,
    ),
}
ADDING = "POST /api/training-files/{id}/add-conversations"
"""Takes a key too; test_training_files_handler.py repeats it on a file."""
FREE = {
    "POST /api/batch-jobs/{id}/cancel",  # ends what is running
    "POST /api/batch-jobs/{id}/process-next",  # makes sure that a workflow runs
    "POST /api/batch-jobs/{id}/retry-failed",  # each failed item is queued again once
    "POST /api/conversations",  # an import has the id of its text
    "POST /api/conversations/bulk-action",
    "POST /api/conversations/bulk-action/{id}/undo",  # once: what is undone stays
    "POST /api/conversations/generate-batch/preview",
    "POST /api/conversations/bulk-enrich",  # own code, no Claude
    "POST /api/conversations/diversity",
    "POST /api/conversations/duplicates",
    "POST /api/conversations/preferences",
    "POST /api/conversations/{id}/enrich",
    "POST /api/datasets",  # a record and a link; nothing runs
    "POST /api/datasets/import-from-training-file",  # once for each version
    "POST /api/datasets/{id}/confirm",
    "POST /api/datasets/{id}/receipt",
    "POST /api/jobs/estimate",
    "POST /api/jobs/{id}/cancel",
    "POST /api/models/{id}/download",
    "POST /api/notifications/read-all",
    "POST /api/scaffolding/check-compatibility",
    "POST /api/scaffolding/emotional-arcs",  # a key is taken once
    "POST /api/scaffolding/personas",
    "POST /api/scaffolding/training-topics",
    "POST /api/templates",
    "POST /api/templates/preview",
    "POST /api/templates/select",
    "POST /api/templates/{id}/resolve",
    "POST /api/training-files/preview",
}
EVERY_SPENDING_ROUTE = pytest.mark.parametrize("route", SPENDING)


def test_every_route_that_creates_takes_a_key_or_spends_nothing() -> None:
    creating = {one for one in chain.from_iterable(ROUTES.values()) if one.startswith("POST")}
    assert {*SPENDING, ADDING} | FREE == creating
    keyed = {
        normalised(route)
        for route, operation in OPERATIONS.items()
        if any(one["name"] == "idempotency-key" for one in operation.get("parameters", []))
    }
    assert keyed == {*SPENDING, ADDING}


def test_the_fake_system_of_the_command_lines_tests_knows_every_route_that_spends() -> None:
    assert {f"POST {path}" for path in PATHS_WITH_A_KEY} == {*SPENDING}


@pytest.fixture
def prepared(seeds: Seeds, runs: StartedRuns, trainings: StartedRuns, route: str) -> Spending:
    """The route, with the records that its bodies name."""
    SPENDING[route].prepare(seeds, OWNER)
    return SPENDING[route]


@EVERY_SPENDING_ROUTE
def test_the_same_request_is_answered_with_its_first_answer(
    api: Api, seeds: Seeds, route: str, prepared: Spending
) -> None:
    first, again = (api(route, prepared.body, headers=KEY) for _ in range(2))
    assert first.status in {201, 202}
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (again.status, again.body) == (first.status, first.body)
    assert seeds.rows(prepared.table) == prepared.rows


@EVERY_SPENDING_ROUTE
def test_another_request_with_the_same_key_is_refused(
    api: Api, seeds: Seeds, route: str, prepared: Spending
) -> None:
    api(route, prepared.body, headers=KEY)
    refused = api(route, prepared.other, headers=KEY)
    assert "Idempotent-Replayed" not in refused.headers
    assert (refused.status, refused.body["code"]) == (422, "idempotency_key_reused")
    assert seeds.rows(prepared.table) == prepared.rows


@EVERY_SPENDING_ROUTE
def test_the_key_of_another_owner_is_another_key(
    api: Api, seeds: Seeds, route: str, prepared: Spending
) -> None:
    prepared.prepare(seeds, STRANGER)
    mine = api(route, prepared.body, headers=KEY)
    text = json.dumps(prepared.body).replace(numbered_id(1), numbered_id(11))
    theirs = api(route, json.loads(text), owner=STRANGER, headers=KEY)
    assert theirs.status == mine.status
    assert prepared.job_id(mine) != prepared.job_id(theirs)


@EVERY_SPENDING_ROUTE
def test_a_key_is_bound_for_a_day(
    api: Api, clock: SteppedClock, route: str, prepared: Spending
) -> None:
    api(route, prepared.body, headers=KEY)
    clock.advance(timedelta(hours=23).total_seconds())
    assert api(route, prepared.other, headers=KEY).status == 422
    clock.advance(timedelta(hours=2).total_seconds())
    assert api(route, prepared.other, headers=KEY).status in {201, 202}


@EVERY_SPENDING_ROUTE
def test_a_request_that_is_refused_can_be_corrected_under_its_key(
    api: Api, seeds: Seeds, route: str, prepared: Spending
) -> None:
    text = json.dumps(prepared.body)
    for known in ("overwhelmed_avoider", numbered_id(1)):
        text = text.replace(known, "nobody")
    assert api(route, {"unknown": 1}, headers=KEY).status == 400
    assert api(route, json.loads(text), headers=KEY).status in {400, 404}
    assert seeds.rows("IdempotencyTable") == 0
    assert api(route, prepared.body, headers=KEY).status in {201, 202}


@EVERY_SPENDING_ROUTE
def test_a_request_whose_first_one_is_still_storing_is_asked_to_come_back(
    api: Api, aws: Aws, log: io.StringIO, route: str, prepared: Spending
) -> None:
    """The first one bound the key after this one looked for it, and has not stored its job."""
    put, key = aws.dynamodb.put_item, KEY["Idempotency-Key"]

    def overtaken(**request: Any) -> Any:
        if request["Item"].get("idempotency_key") == {"S": key}:
            first = {"job_id": {"S": time_ordered_id(START)}}
            put(TableName=request["TableName"], Item={**request["Item"], **first})
        return put(**request)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(aws.dynamodb, "put_item", overtaken)
        early = api(route, prepared.body, headers=KEY)
    assert (early.status, early.body["code"]) == (409, "request_in_progress")
    assert early.headers["Retry-After"] == "1"
    assert "ERROR" not in log.getvalue()


def test_of_several_orders_for_the_same_conversations_one_is_judged(
    api: Api, aws: Aws, seeds: Seeds, runs: StartedRuns
) -> None:
    _conversations(seeds, OWNER)
    both = {"conversationIds": [numbered_id(2), numbered_id(1)]}
    answers = [api("POST /api/conversations/judge", both) for _ in range(5)]
    first, *others = answers
    assert first.status == 202
    for refused in others:
        assert (refused.status, refused.body["code"]) == (409, "being_judged")
        assert refused.headers["Retry-After"] == "30"
        assert refused.body["details"]["job_id"] == first.body["jobId"]
    assert seeds.rows("BatchItemsTable") == 2


def test_a_conversation_can_be_judged_again_once_the_job_has_ended(
    api: Api, seeds: Seeds, runs: StartedRuns
) -> None:
    _conversations(seeds, OWNER)
    both = {"conversationIds": [numbered_id(1), numbered_id(2)]}
    first = api("POST /api/conversations/judge", both).body["jobId"]
    api(f"POST /api/batch-jobs/{first}/cancel")
    again = api("POST /api/conversations/judge", both)
    assert (again.status, again.body["totalItems"]) == (202, 2)


@pytest.mark.slow
def test_of_orders_at_the_same_time_one_is_judged(
    api: Api, seeds: Seeds, runs: StartedRuns
) -> None:
    _conversations(seeds, OWNER)
    creator = generate.judgement_creator()
    together = threading.Barrier(5)

    def create(number: int) -> bool:
        ids = (numbered_id(1), numbered_id(2))
        together.wait()
        try:
            creator.create(OWNER, JudgementRequest(ids[:: 1 - 2 * (number % 2)]), None)
        except BeingJudgedError:
            return False
        return True

    with ThreadPoolExecutor(5) as pool:
        assert sum(pool.map(create, range(5))) == 1
    assert seeds.rows("BatchItemsTable") == 2


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
@pytest.mark.parametrize("round_number", range(effort(4, 50)))
def test_sixteen_orders_at_once_make_one_job(
    api: Api,
    seeds: Seeds,
    runs: StartedRuns,
    round_number: int,
    record_property: Callable[[str, object], None],
) -> None:
    creator = generate.batch_creator()
    wanted = BatchRequest(name="A batch", sets=[ParameterSet(*ROC.values())] * 3)
    together = threading.Barrier(16)

    def create() -> str | None:
        together.wait()
        try:
            return creator.create(OWNER, wanted, "order-1").job.job_id
        except RequestInProgressError:
            return None  # The first is still storing; a 409 asks to come back.

    with ThreadPoolExecutor(16) as pool:
        jobs = {future.result() for future in [pool.submit(create) for _ in range(16)]}
    (job_id,) = jobs - {None}
    assert creator.create(OWNER, wanted, "order-1").job.job_id == job_id
    assert seeds.rows("BatchJobsTable") == 1
    assert seeds.rows("BatchItemsTable") == 3
    # That a name is taken only once is Step Functions' promise; moto's check is not atomic.
    assert set(runs.names()) == {f"{job_id}-1"}
    record_property("effects", seeds.rows("BatchJobsTable"))


@pytest.mark.slow
@pytest.mark.parametrize("round_number", range(effort(1, 50)))
def test_sixteen_trainings_at_once_make_one_job(
    api: Api,
    seeds: Seeds,
    trainings: StartedRuns,
    round_number: int,
    record_property: Callable[[str, object], None],
) -> None:
    _dataset(seeds, OWNER)
    creator = jobs.training_job_creator()
    wanted = TrainingJobRequest(dataset_id=numbered_id(1), gpu=GpuConfig(type="H100", count=1))
    together = threading.Barrier(16)

    def create() -> str | None:
        together.wait()
        try:
            return creator.create(OWNER, wanted, "order-1").job_id
        except RequestInProgressError:
            return None  # The first is still storing; a 409 asks to come back.

    with ThreadPoolExecutor(16) as pool:
        made = {future.result() for future in [pool.submit(create) for _ in range(16)]}
    (job_id,) = made - {None}
    assert creator.create(OWNER, wanted, "order-1").job_id == job_id
    assert seeds.rows("TrainingJobsTable") == 1
    record_property("effects", seeds.rows("TrainingJobsTable"))


CALLS = [
    "GetItem",  # the key
    *["Query"] * 5,  # the scaffolding
    "Query",  # the jobs that a quote is learned from
    "PutItem",  # the key
    "PutObject",  # the plan
    "GetItem",
    "BatchWriteItem",  # the items
    "TransactWriteItems",  # the job, and what it reserves
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
    assert (early.status, early.body["code"]) == (409, "request_in_progress")
    assert early.headers["Retry-After"] == "1"
    assert seeds.rows("BatchItemsTable") == seeds.rows("BatchJobsTable") == 0
