"""What every store of budgets promises, with the orders that hold parts of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any

import pytest

from brightrun.aws.budgets import Budgets, DynamoBudgets
from brightrun.batches.claim_repository import ClaimRepository
from brightrun.batches.model import BatchJob, ItemStatus, JobAction
from brightrun.batches.repository import BatchRepository, BatchTables, DynamoBatches
from brightrun.core.budgets import Budget, BudgetExceededError, Limits
from brightrun.core.errors import ContentionError
from brightrun.core.ids import time_ordered_id
from brightrun.datasets.repository import DynamoDatasets
from brightrun.training.costs.model import cost_record
from brightrun.training.model import TrainingJob
from brightrun.training.notices import job_queued
from brightrun.training.repository import DynamoTrainingJobs, TrainingJobRepository, TrainingTables
from brightrun.training.transitions import ended
from tests import builders as build
from tests.aws import Aws
from tests.builders import OWNER, START, STRANGER
from tests.fakes.batches import InMemoryBatches
from tests.fakes.budgets import InMemoryBudgets
from tests.fakes.datasets import DATASET_TABLES
from tests.fakes.training_jobs import InMemoryTraining, a_dataset, a_training_job

MONTH = "2026-11"
DATASETS = (a_dataset(), a_dataset(owner=STRANGER))
TRAINING = TrainingTables(
    "TrainingJobsTable", "DatasetsTable", "NotificationsTable", "CostRecordsTable", "ModelsTable"
)


@dataclass(frozen=True)
class Store:
    """Batches and training jobs on one set of budgets."""

    budgets: Budgets
    batches: BatchRepository
    claims: ClaimRepository
    training: TrainingJobRepository


def in_memory(limits: Limits) -> Store:
    budgets = InMemoryBudgets(limits)
    batches = InMemoryBatches(budgets)
    return Store(budgets, batches, batches, InMemoryTraining(*DATASETS, budgets=budgets))


def in_dynamodb(aws: Aws, limits: Limits) -> Store:
    budgets = DynamoBudgets(aws.dynamodb, "BudgetsTable", limits)
    tables = BatchTables("BatchJobsTable", "BatchItemsTable", "BatchLogsTable")
    for one in DATASETS:
        DynamoDatasets(aws.dynamodb, DATASET_TABLES).add(one)
    return Store(
        budgets,
        DynamoBatches(aws.dynamodb, tables, budgets),
        aws.claims,
        DynamoTrainingJobs(aws.dynamodb, TRAINING, budgets),
    )


Open = Callable[[Limits], Store]


@pytest.fixture(params=["memory", "dynamodb"])
def open_store(request: pytest.FixtureRequest) -> Open:
    if request.param == "memory":
        return in_memory
    aws = request.getfixturevalue("aws")
    return lambda limits: in_dynamodb(aws, limits)


def a_batch(reserved: int, owner: str = OWNER, **changes: Any) -> tuple[BatchJob, Any]:
    planned = build.a_plan(2, job_id=time_ordered_id(START))
    job = build.a_job(
        planned,
        owner=owner,
        max_cost_micro_usd=reserved,
        budget_month=MONTH,
        budget_reserved_micro_usd=reserved,
        **changes,
    )
    key = f"{owner}#{job.job_id}"
    return job, [dataclasses.replace(item, job_key=key) for item in planned.items]


def order(store: Store, reserved: int, owner: str = OWNER, **changes: Any) -> BatchJob:
    job, items = a_batch(reserved, owner, **changes)
    store.batches.create(job, items)
    return job


def train(store: Store, reserved: int, owner: str = OWNER) -> TrainingJob:
    job = a_training_job(
        time_ordered_id(START),
        owner=owner,
        budget_month=MONTH,
        budget_reserved_micro_usd=reserved,
    )
    store.training.create(job, job_queued(job, START))
    return job


def own(store: Store, owner: str = OWNER) -> Budget:
    return store.budgets.of_month(owner, MONTH)[0]


def finish(store: Store, job: BatchJob, *costs: int) -> BatchJob:
    """Write the job's two items at such costs, and close it as its workflow does."""
    items = store.claims.next_items(job.owner_id, job.job_id, 2)
    held = store.claims.claim(items, build.a_lease(), build.lines_for(items), START)
    for item, cost in zip(held, costs, strict=True):
        outcome = build.completed(cost_micro_usd=cost) if cost else build.failed(cost_micro_usd=0)
        build.end_item(store.claims, item, outcome, START)
    store.batches.apply(job.owner_id, job.job_id, JobAction.COMPLETE, START, build.a_line("end"))
    closed = store.batches.job(job.owner_id, job.job_id)
    store.batches.close_budgets(closed)
    return closed


def test_an_order_holds_its_reservation_in_its_owners_and_the_deployments_budget(
    open_store: Open,
) -> None:
    store = open_store(Limits(owner=1000, deployment=1500))
    order(store, 600)
    train(store, 300)
    mine, everybodys = store.budgets.of_month(OWNER, MONTH)
    assert mine.reserved == everybodys.reserved == {"writing": 600, "training": 300}
    assert (mine.left, everybodys.left) == (100, 600)
    assert own(store, STRANGER).left == 1000


@pytest.mark.parametrize("place", [order, train])
def test_an_order_that_does_not_fit_is_refused_and_leaves_nothing(
    open_store: Open, place: Callable[..., BatchJob | TrainingJob]
) -> None:
    store = open_store(Limits(owner=1_000_000))
    order(store, 700_000)
    with pytest.raises(BudgetExceededError) as refused:
        place(store, 400_000)
    assert refused.value.message == (
        "The order may cost up to $0.40. Of your budget of $1.00 for 2026-11 (UTC), $0.00 are spent"
        " and $0.70 are reserved for orders in progress: $0.30 are left. Order less or with a lower"
        " cap, wait until orders in progress give back what they do not spend, or let the operator"
        " raise OwnerBudgetUsd of the deployment."
    )
    assert own(store).reserved == {"writing": 700_000, "training": 0}
    assert len(store.batches.jobs(OWNER, status=None, limit=9, cursor=None).records) == 1
    assert not store.training.jobs(OWNER, status=None, limit=9, cursor=None).records


def test_the_deployments_budget_refuses_what_an_owners_own_would_allow(open_store: Open) -> None:
    store = open_store(Limits(deployment=1000))
    order(store, 900, STRANGER)
    with pytest.raises(BudgetExceededError, match=r"Of the deployment's budget .* raise Deployme"):
        order(store, 200)
    assert own(store).reserved["writing"] == 0


def test_a_refused_batch_leaves_no_items(open_store: Open) -> None:
    store = open_store(Limits(owner=10))
    job, items = a_batch(11)
    with pytest.raises(BudgetExceededError):
        store.batches.create(job, items)
    assert list(store.batches.open_items(OWNER, job.job_id)) == []


def test_a_batch_that_is_stored_twice_reserves_once(open_store: Open) -> None:
    store = open_store(Limits(owner=1000))
    job, items = a_batch(600)
    store.batches.create(job, items)
    store.batches.create(job, items)
    assert own(store).reserved["writing"] == 600


def test_a_batch_that_has_ended_gives_back_what_it_did_not_spend(open_store: Open) -> None:
    store = open_store(Limits(owner=1000))
    job = order(store, 600)
    closed = finish(store, job, 200, 150)
    store.batches.close_budgets(closed)  # a repeated round of the workflow
    store.batches.close_budgets(store.batches.job(OWNER, job.job_id))
    assert (own(store).spent["writing"], own(store).reserved["writing"]) == (350, 0)
    assert own(store).left == 650


def test_what_nobody_was_paid_for_is_not_spent(open_store: Open) -> None:
    store = open_store(Limits(owner=1000))
    finish(store, order(store, 600, simulated=True), 200, 150)
    assert own(store).left == 1000


def test_a_training_job_holds_its_cap_until_its_bill_is_closed(open_store: Open) -> None:
    store = open_store(Limits(owner=5_000_000))
    job = train(store, 4_000_000)
    end = ended(job, START, "cancelled", final_cost=1.25, billed_seconds=600)
    store.training.close_billing(end, 1, cost=cost_record(end, START), notifications=[], model=None)
    assert own(store).spent == {"writing": 0, "training": 1_250_000}
    assert own(store).left == 3_750_000


def reopened(month: str, amount: int) -> Callable[[BatchJob], BatchJob]:
    return lambda job: dataclasses.replace(
        job,
        budget_month=month,
        budget_reserved_micro_usd=amount,
        budget_spent_micro_usd=job.paid_micro_usd,
        max_cost_micro_usd=job.cost_micro_usd + amount,
    )


def retry(store: Store, job: BatchJob, month: str, amount: int) -> BatchJob:
    job = store.batches.apply(
        OWNER,
        job.job_id,
        JobAction.RETRY_FAILED,
        START,
        build.a_line("again"),
        reopen=reopened(month, amount),
    )
    store.claims.requeue(list(store.batches.retryable_items(OWNER, job.job_id)), START)
    return job


def test_a_batch_that_goes_on_reserves_anew_in_the_month_of_that(open_store: Open) -> None:
    store = open_store(Limits(owner=1000))
    job = finish(store, order(store, 600), 200, 0)
    assert retry(store, job, "2026-12", 300).budget_month == "2026-12"
    assert own(store).left == 800
    december = store.budgets.of_month(OWNER, "2026-12")[0]
    assert (december.reserved["writing"], december.left) == (300, 700)
    (item,) = store.batches.open_items(OWNER, job.job_id)
    (held,) = store.claims.claim([item], build.a_lease(), [build.a_line("3")], START)
    build.end_item(store.claims, held, build.completed(cost_micro_usd=50), START)
    store.batches.apply(OWNER, job.job_id, JobAction.COMPLETE, START, build.a_line("end again"))
    store.batches.close_budgets(store.batches.job(OWNER, job.job_id))
    assert store.budgets.of_month(OWNER, "2026-12")[0].spent["writing"] == 50
    assert own(store).spent["writing"] == 200


def test_a_batch_that_may_not_go_on_stays_ended(open_store: Open) -> None:
    store = open_store(Limits(owner=1000))
    job = finish(store, order(store, 600), 200, 0)
    with pytest.raises(BudgetExceededError):
        retry(store, job, MONTH, 900)
    assert store.batches.job(OWNER, job.job_id).status == "completed"
    failed = store.batches.retryable_items(OWNER, job.job_id)
    assert [item.status for item in failed] == [ItemStatus.FAILED]


def test_a_batch_that_went_on_meanwhile_keeps_what_it_holds(open_store: Open) -> None:
    store = open_store(Limits(owner=1000))
    job = order(store, 600)
    seen = finish(store, job, 200, 0)
    retry(store, seen, MONTH, 300)
    store.batches.close_budgets(seen)  # the round that had read it before
    assert own(store).reserved["writing"] == 300


def test_a_higher_cap_reserves_as_much_more(open_store: Open) -> None:
    store = open_store(Limits(owner=1000))
    job = order(store, 600)
    store.batches.raise_cap(job, 900, START, build.a_line("cap"))
    assert own(store).reserved["writing"] == 900
    with pytest.raises(BudgetExceededError):
        store.batches.raise_cap(job, 1200, START, build.a_line("more"))
    raised = store.batches.job(OWNER, job.job_id)
    assert (raised.max_cost_micro_usd, raised.budget_reserved_micro_usd) == (900, 900)


def test_of_concurrent_orders_as_many_are_accepted_as_fit(open_store: Open) -> None:
    store = open_store(Limits(owner=500, deployment=700))
    together = Barrier(8)

    def place(number: int) -> str:
        owner = (OWNER, STRANGER)[number % 2]
        together.wait()
        while True:
            try:
                (order if number % 3 else train)(store, 100, owner)
            except BudgetExceededError as error:
                return str(error.details["budget"])
            except ContentionError:
                continue
            return "accepted"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(place, range(8)))
    assert answers.count("accepted") == 7
    assert store.budgets.of_month(OWNER, MONTH)[1].left == 0


def test_without_a_limit_nothing_is_refused_and_everything_counted(open_store: Open) -> None:
    store = open_store(Limits())
    finish(store, order(store, 600), 200, 150)
    order(store, 10**12)
    assert own(store).spent["writing"] == 350
    assert own(store).left is None
