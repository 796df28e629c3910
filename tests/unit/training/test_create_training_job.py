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
from brightrun.core.errors import (
    DatasetNotReadyError,
    IdempotencyKeyReusedError,
    InvalidInputError,
    ObjectChangedError,
    RequestInProgressError,
    StorageError,
)
from brightrun.core.timestamps import iso
from brightrun.datasets.receipts.service import ReceiptWriter
from brightrun.datasets.validate_dataset import validated
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


class World:
    """A creator and everything around it."""

    def __init__(self, **changes: Any) -> None:
        dataset = a_dataset(**changes)
        self.datasets = InMemoryDatasets()
        self.datasets.add(dataset)
        self.training = InMemoryTraining(dataset)
        self.records = InMemoryTrainingRecords()
        self.workflow = RecordedTraining()
        self.clock = SteppedClock()
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
            workflow=self.workflow,
            clock=self.clock,
            any_instance=False,
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


def test_on_the_developers_own_machine_nothing_is_billed() -> None:
    world = World()
    world.creator = dataclasses.replace(world.creator, any_instance=True)
    job = world.create(dataclasses.replace(REQUEST, max_cost_usd=0.01))
    assert job.billing.instance_type == "local_cpu"
    assert job.billing.usd_per_hour == job.estimated_total_cost == 0
    assert job.estimate["seconds"]["p50"] > 0


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


def test_every_format_is_either_trained_or_refused_with_its_conversion() -> None:
    assert {*SOUND, *WHOLE_DOCUMENTS} == set(FORMATS)


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
