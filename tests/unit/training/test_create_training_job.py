"""Creating training jobs; the handler's tests show what is refused."""

from __future__ import annotations

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Barrier
from typing import Any

import pytest

from brightrun.catalog.base_models import default_base_model
from brightrun.catalog.gpu_instances import GpuConfig
from brightrun.catalog.presets import PRESETS
from brightrun.core.budgets import BudgetExceededError, Limits, month_of
from brightrun.core.errors import (
    DatasetNotReadyError,
    IdempotencyKeyReusedError,
    InvalidInputError,
    ObjectChangedError,
    QuotaTooLowError,
    RequestInProgressError,
    StorageError,
)
from brightrun.core.timestamps import iso
from brightrun.datasets.receipts.service import ReceiptWriter
from brightrun.datasets.validate_dataset import validated
from brightrun.estimates.model import COSTS_NOTHING
from brightrun.estimates.service import TrainingEstimator
from brightrun.formats.format import FORMATS
from brightrun.sft.data import DataReport, pairs_of_file
from brightrun.training.check_dataset import DatasetChecker
from brightrun.training.create_training_job import (
    TrainingJobCreator,
    TrainingJobRequest,
    startup_usd,
)
from brightrun.training.model import TrainingJob, read_training_job
from brightrun.validation.validator import validate
from tests.builders import OWNER, START, SteppedClock
from tests.fakes.budgets import InMemoryBudgets
from tests.fakes.datasets import ROWS, InMemoryDatasetFiles, InMemoryDatasets
from tests.fakes.external_services import InMemoryKeys, InMemoryObjects
from tests.fakes.tokenizer import InMemoryTokenizers
from tests.fakes.training_jobs import (
    InMemoryTraining,
    InMemoryTrainingRecords,
    RecordedTraining,
    a_dataset,
)
from tests.unit.validation.records import SOUND, lines, pair

WHOLE_DOCUMENTS: dict[str, dict[str, Any]] = {
    "v4-json": {
        "training_file_metadata": {"file_name": "x"},
        "conversations": [
            {"conversation_metadata": {"conversation_id": "c"}, "training_pairs": [pair()]}
        ],
    },
    "enriched": {"dataset_metadata": {}, "training_pairs": [pair()]},
}
REQUEST = TrainingJobRequest(dataset_id="dataset-1", gpu=GpuConfig("H100", 1))


class ScriptedQuotas:
    """An account's quotas by name; None is what cannot be found out."""

    def __init__(self) -> None:
        self.values: dict[str, int | None] = {}
        self.asked: list[str] = []

    def allowed(self, name: str, code: str) -> int | None:
        assert code.startswith("L-")
        self.asked.append(name)
        return self.values.get(name)


class World:
    """A creator and everything around it."""

    def __init__(self, *, limits: Limits | None = None, **changes: Any) -> None:
        dataset = a_dataset(**changes)
        self.budgets = InMemoryBudgets(limits)
        self.datasets = InMemoryDatasets()
        self.datasets.add(dataset)
        self.training = InMemoryTraining(dataset, budgets=self.budgets)
        self.records = InMemoryTrainingRecords()
        self.workflow = RecordedTraining()
        self.clock = SteppedClock()
        self.quotas = ScriptedQuotas()
        self.files = InMemoryDatasetFiles()
        self.files.objects[dataset.storage_path] = ROWS
        receipts = ReceiptWriter(
            datasets=self.datasets,
            files=self.files,
            splits=InMemoryObjects(),
            tokenizers=InMemoryTokenizers(),
        )
        self.creator = TrainingJobCreator(
            datasets=self.datasets,
            jobs=self.training,
            records=self.records,
            estimator=TrainingEstimator(self.datasets, self.training),
            checker=DatasetChecker(self.files, receipts),
            keys=InMemoryKeys(),
            quotas=self.quotas,
            workflow=self.workflow,
            clock=self.clock,
            any_instance=False,
            limits=self.budgets.limits,
            most_usd_without_cap=100.0,
        )

    def create(self, request: TrainingJobRequest = REQUEST, key: str | None = None) -> TrainingJob:
        return self.creator.create(OWNER, request, key)


def test_a_job_has_the_prices_and_the_estimate_of_its_moment() -> None:
    world = World()
    job = world.create()
    assert job.billing.instance_type == "ml.p5.4xlarge"
    assert job.estimated_total_cost == pytest.approx(job.estimate["cost_usd"]["p50"], abs=1e-4)
    assert job.total_steps == job.estimate["training_details"]["total_steps"]
    assert job.external_job_id == f"brightrun-{job.job_id}"
    assert world.training.job(OWNER, job.job_id) == job
    assert world.workflow.started == [job.job_id]


@pytest.mark.parametrize(
    ("gpu", "spot", "quota", "allowed", "needed"),
    [
        (GpuConfig("H100", 1), False, "ml.p5.4xlarge for training job usage", 0, 1),
        (GpuConfig("H100", 3), False, "ml.p5.4xlarge for training job usage", 2, 3),
        (GpuConfig("L40S", 1), True, "ml.g6e.2xlarge for spot training job usage", 0, 1),
    ],
)
def test_a_job_beyond_the_accounts_quota_is_refused_with_its_name_and_what_to_do(
    gpu: GpuConfig, spot: bool, quota: str, allowed: int, needed: int
) -> None:
    world = World()
    world.quotas.values[quota] = allowed
    with pytest.raises(QuotaTooLowError, match="raise it in the AWS console") as refused:
        world.create(dataclasses.replace(REQUEST, gpu=gpu, use_spot=spot))
    assert refused.value.details == {"quota": quota, "allowed": allowed, "needed": needed}
    assert quota in refused.value.message
    assert world.workflow.started == []


@pytest.mark.parametrize("allowed", [1, 4, None])
def test_a_quota_that_suffices_or_is_not_known_refuses_nothing(allowed: int | None) -> None:
    world = World()
    world.quotas.values["ml.p5.4xlarge for training job usage"] = allowed
    assert world.create().status == "queued"
    assert world.quotas.asked == ["ml.p5.4xlarge for training job usage"]


def test_the_developers_own_machine_has_no_quota() -> None:
    world = World()
    world.creator = dataclasses.replace(world.creator, any_instance=True)
    world.create()
    assert world.quotas.asked == []


def test_on_the_developers_own_machine_nothing_is_billed() -> None:
    world = World()
    estimator = TrainingEstimator(world.datasets, world.training, own_machine=True)
    world.creator = dataclasses.replace(world.creator, any_instance=True, estimator=estimator)
    job = world.create(dataclasses.replace(REQUEST, max_cost_usd=0.01))
    assert job.billing.instance_type == "local_cpu"
    assert job.billing.usd_per_hour == job.estimated_total_cost == 0
    assert job.estimate["seconds"]["p50"] > 0
    assert COSTS_NOTHING in job.estimate["warnings"]


def test_where_the_machine_is_billed_nothing_is_said_to_cost_nothing() -> None:
    assert COSTS_NOTHING not in World().create().estimate["warnings"]


def test_two_requests_without_a_key_are_two_jobs() -> None:
    world = World()
    assert world.create().job_id != world.create().job_id
    assert world.training.active_jobs("dataset-1") == 2


def test_the_same_request_twice_at_once_is_one_job() -> None:
    world = World()
    barrier = Barrier(4)

    def create(_: int) -> str | None:
        barrier.wait()
        try:
            return world.create(key="once").job_id
        except RequestInProgressError:
            return None  # The first is still storing; a 409 asks to come back.

    with ThreadPoolExecutor(4) as threads:
        ids = set(threads.map(create, range(4))) - {None}
    assert ids == {world.create(key="once").job_id}
    assert world.training.active_jobs("dataset-1") == 1
    assert [one.type for one in world.training.notifications] == ["job_queued"]
    (event,) = world.records.events(OWNER, str(ids.pop()), limit=10, cursor=None).records
    assert event.type == "queued"


def test_a_key_is_for_one_request() -> None:
    world = World()
    world.create(key="once")
    other = TrainingJobRequest(dataset_id="dataset-1", gpu=GpuConfig("H100", 2))
    with pytest.raises(IdempotencyKeyReusedError):
        world.create(other, key="once")


def test_a_refused_order_can_be_repeated_under_its_key_once_the_dataset_is_ready() -> None:
    world = World(status="validating")
    with pytest.raises(DatasetNotReadyError):
        world.create(key="once")
    ready = dataclasses.replace(a_dataset(status="validating"), status="ready")
    world.datasets.replace(ready)
    world.training.datasets[OWNER, "dataset-1"] = ready
    job = world.create(key="once")
    assert world.workflow.started == [job.job_id]


def test_a_dataset_that_stops_being_ready_at_the_last_moment_takes_no_job() -> None:
    world = World()
    world.training.datasets[OWNER, "dataset-1"] = a_dataset(status="error")
    with pytest.raises(DatasetNotReadyError):
        world.create()
    assert world.workflow.started == []
    assert world.training.notifications == []


@pytest.mark.parametrize("record", SOUND.values(), ids=SOUND)
def test_a_ready_dataset_of_any_format_takes_a_job_and_gives_the_trainer_its_pairs(
    record: dict[str, Any],
) -> None:
    source = lines(record)
    found = validated(a_dataset(), validate(BytesIO(source)).as_dict(), iso(START))
    assert found.status == "ready"
    world = World(**{name: getattr(found, name) for name in ("status", "format")})
    world.create()
    pairs = pairs_of_file(BytesIO(source), "x.jsonl", DataReport())
    assert len(pairs) == found.trainable_pairs == 1


@pytest.mark.parametrize("form", ["v4-json", "enriched"], ids=str)
@pytest.mark.parametrize("indent", [None, 2])
def test_a_json_document_is_trained_on_as_it_is(form: str, indent: int | None) -> None:
    source = json.dumps(WHOLE_DOCUMENTS[form], indent=indent).encode()
    found = validated(a_dataset(), validate(BytesIO(source)).as_dict(), iso(START))
    assert (found.status, found.trainable_pairs) == ("ready", 1)
    assert len(pairs_of_file(BytesIO(source), "x.json", DataReport())) == 1


def test_preference_data_is_ready_and_takes_no_job() -> None:
    question, answer, worse = (
        [{"role": role, "content": text}]
        for role, text in (("user", "Q?"), ("assistant", "A."), ("assistant", "B."))
    )
    record = {"prompt": question, "chosen": answer, "rejected": worse}
    found = validated(a_dataset(), validate(BytesIO(lines(record))).as_dict(), iso(START))
    assert (found.status, found.format, found.trainable_pairs) == ("ready", "preference", 0)
    names = ("status", "format", "trainable_pairs")
    world = World(**{name: getattr(found, name) for name in names})
    with pytest.raises(DatasetNotReadyError):
        world.create()
    assert world.workflow.started == []


def test_every_format_is_either_trained_or_refused() -> None:
    assert {*SOUND, *WHOLE_DOCUMENTS, "preference"} == set(FORMATS)


def test_a_workflow_that_could_not_be_started_is_started_by_the_repetition(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()

    def unreachable(_: TrainingJob) -> None:
        raise StorageError("StartExecution", "EndpointConnectionError")

    with monkeypatch.context() as broken:
        broken.setattr(world.workflow, "ensure_training", unreachable)
        with pytest.raises(StorageError):
            world.create(key="once")
    job = world.create(key="once")
    assert world.workflow.started == [job.job_id]
    assert world.training.active_jobs("dataset-1") == 1


def test_a_refused_request_can_be_repeated_under_its_key_once_the_file_is_back() -> None:
    world = World()
    kept = world.files.objects.pop(a_dataset().storage_path)
    with pytest.raises(ObjectChangedError):
        world.create(key="once")
    assert world.training.notifications == []
    world.files.objects[a_dataset().storage_path] = kept
    job = world.create(key="once")
    assert world.workflow.started == [job.job_id]
    assert job.dataset_check is not None
    assert (job.dataset_check.method, job.dataset_check.at) == (None, "creation")


def test_a_row_from_before_there_was_a_check_is_read() -> None:
    row = dataclasses.asdict(World().create())
    assert read_training_job(row).dataset_check is not None
    del row["dataset_check"], row["hyperparameters"]["target_modules"]
    read = read_training_job(row)
    assert (read.dataset_check, read.hyperparameters.target_modules) == (None, "all-linear")


def test_a_budget_must_be_more_than_starting_up_costs() -> None:
    world = World()
    estimate = world.creator.estimator.of_dataset(
        OWNER, a_dataset(), default_base_model(), REQUEST.gpu, PRESETS["balanced"]
    )
    floor = startup_usd(estimate.prediction)
    assert 0 < floor < estimate.prediction.cost_usd.p50
    with pytest.raises(InvalidInputError, match=f"{floor:.4g}"):
        world.create(_with_budget(floor))
    assert world.create(_with_budget(floor + 0.01)).max_cost_usd == floor + 0.01


def _with_budget(amount: float) -> TrainingJobRequest:
    return TrainingJobRequest(dataset_id="dataset-1", gpu=REQUEST.gpu, max_cost_usd=amount)


# --- budgets


def test_a_run_above_the_price_needs_a_cap() -> None:
    world = World()
    world.creator = dataclasses.replace(world.creator, most_usd_without_cap=0.01)
    with pytest.raises(InvalidInputError, match=r"above 0\.01 this deployment trains only with"):
        world.create(REQUEST)
    assert world.workflow.started == []
    assert world.create(_with_budget(50.0)).max_cost_usd == 50.0


def test_without_a_budget_a_run_is_not_capped_and_its_likely_cost_reserved() -> None:
    job = World().create(REQUEST)
    assert job.max_cost_usd is None
    likely = job.estimate["cost_usd"]["p90"]
    assert job.budget_reserved_micro_usd == pytest.approx(likely * 1e6, rel=1e-3)


def test_within_a_budget_a_run_gets_a_cap_and_reserves_it() -> None:
    world = World(limits=Limits.of_usd(None, 1000))
    job = world.create(REQUEST)
    likely = job.estimate["cost_usd"]["p90"]
    assert job.max_cost_usd is not None
    assert job.max_cost_usd == pytest.approx(2 * likely, abs=0.01)
    assert job.budget_reserved_micro_usd == round(job.max_cost_usd * 1e6)
    everybodys = world.budgets.of_month(OWNER, month_of(START))[1]
    assert everybodys.reserved["training"] == job.budget_reserved_micro_usd


def test_a_run_that_does_not_fit_into_a_budget_is_refused_and_its_key_stays_usable() -> None:
    world = World(limits=Limits.of_usd(40, None))
    with pytest.raises(BudgetExceededError, match=r"may cost up to \$50\.00. Of your budget of"):
        world.create(_with_budget(50.0), "a-key")
    assert world.workflow.started == []
    with pytest.raises(BudgetExceededError):
        world.create(_with_budget(50.0), "a-key")
    assert world.create(_with_budget(30.0)).budget_reserved_micro_usd == 30_000_000


def test_on_the_developers_own_machine_no_budget_is_needed() -> None:
    world = World(limits=Limits.of_usd(0, 0))
    estimator = TrainingEstimator(world.datasets, world.training, own_machine=True)
    world.creator = dataclasses.replace(world.creator, any_instance=True, estimator=estimator)
    for amount in (None, 5.0):
        job = world.create(dataclasses.replace(REQUEST, max_cost_usd=amount))
        assert (job.max_cost_usd, job.budget_reserved_micro_usd) == (amount, 0)
