"""Requests and responses of the training job routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import ConfigDict, Field

from brightrun.catalog.gpu_instances import GpuConfig
from brightrun.catalog.presets import PresetId
from brightrun.core.fields import Flag
from brightrun.core.pages import Page
from brightrun.estimates.schemas import (
    GpuRequest,
    GpuView,
    HyperparametersRequest,
    HyperparametersView,
)
from brightrun.estimates.schemas import Name as RegistryName
from brightrun.http.schemas import Name, NestedModel, RequestModel, ResponseModel
from brightrun.training.create_training_job import TrainingJobRequest
from brightrun.training.model import EventLevel, JobStage, JobStatus, TrainingJob

if TYPE_CHECKING:
    from brightrun.core.pages import Page
    from brightrun.training.model import MetricsPoint, TrainingEvent
    from brightrun.training.service import JobDetails


class TrainingJobBody(RequestModel):
    """POST /api/jobs. A preset whose values are changed makes the job a custom one."""

    dataset_id: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,100}$", max_length=100)]
    gpu_config: GpuRequest
    name: Name | None = None
    preset_id: RegistryName | None = None
    base_model: RegistryName | None = None
    hyperparameters: HyperparametersRequest = HyperparametersRequest()
    max_cost_usd: Annotated[float, Field(ge=0.0001, le=1_000_000)] | None = Field(
        default=None, description="Training ends in time for this, and still gives an adapter."
    )
    use_spot: Flag = False
    allow_simulated: Flag = Field(
        default=False, description="Train on conversations that no model wrote, too."
    )
    estimated_cost: Annotated[float, Field(ge=0, le=1_000_000)] | None = Field(
        default=None, description="What the original's page sends; our own estimate counts."
    )

    def order(self) -> TrainingJobRequest:
        """What the service is asked for."""
        return TrainingJobRequest(
            dataset_id=self.dataset_id,
            gpu=GpuConfig(self.gpu_config.type, self.gpu_config.count),
            name=self.name,
            preset_id=self.preset_id,
            base_model=self.base_model,
            hyperparameters=self.hyperparameters.model_dump(exclude_none=True),
            max_cost_usd=self.max_cost_usd,
            use_spot=self.use_spot,
            allow_simulated=self.allow_simulated,
        )


class JobBillingView(NestedModel):
    """What is billed, at the price of the day the job was made; all GPUs of all instances."""

    instance_type: str
    instances: int
    billed_gpus: int
    usd_per_hour: float
    price_date: str


class DatasetOfJob(NestedModel):
    """The dataset that a job trains on."""

    id: str
    name: str


class TrainingJobView(NestedModel):
    """A training job; money in US dollars, durations in seconds, progress in per cent.

    `settled` is true once the bill is closed: a cancelled job goes on costing until SageMaker has
    stopped. `current_cost` is that of this moment.
    """

    model_config = ConfigDict(validate_by_alias=True, validate_by_name=True)

    id: str = Field(validation_alias="job_id")
    user_id: str = Field(validation_alias="owner_id")
    name: str
    dataset_id: str
    dataset: DatasetOfJob
    base_model: str
    preset_id: PresetId
    hyperparameters: HyperparametersView
    gpu_config: GpuView
    billing: JobBillingView
    use_spot: bool
    max_cost_usd: float | None
    status: JobStatus
    current_stage: JobStage = Field(validation_alias="stage")
    stage_reason: str | None
    next_try_at: str | None
    start_attempts: int
    progress: float
    current_epoch: float
    total_epochs: int
    current_step: int
    total_steps: int
    current_metrics: dict[str, Any]
    queued_at: str
    started_at: str | None
    completed_at: str | None
    updated_at: str
    estimated_completion_at: str | None
    estimate: dict[str, Any]
    estimated_total_cost: float
    current_cost: float
    final_cost: float | None
    billed_seconds: int | None
    training_seconds: int | None
    results: dict[str, Any]
    error_code: str | None
    error_message: str | None
    error_hint: str | None
    stopped_reason: str | None
    external_job_id: str
    model_id: str | None
    settled: bool
    version: int

    @classmethod
    def from_domain(cls, job: TrainingJob) -> Self:
        """Show a job."""
        fields = {name: getattr(job, name) for name in TrainingJob.__dataclass_fields__}
        dataset = DatasetOfJob(id=job.dataset_id, name=job.dataset_name)
        del fields["dataset_name"], fields["metrics_read"], fields["cost_record_id"]
        return cls.model_validate({**fields, "dataset": dataset})


class TrainingJobResponse(ResponseModel):
    """One training job."""

    data: TrainingJobView

    @classmethod
    def from_domain(cls, job: TrainingJob) -> Self:
        """Show a job."""
        return cls(data=TrainingJobView.from_domain(job))


class TrainingJobPage(NestedModel):
    """Some training jobs."""

    jobs: list[TrainingJobView]
    count: int


class TrainingJobList(ResponseModel):
    """GET /api/jobs."""

    data: TrainingJobPage
    next_cursor: str | None

    @classmethod
    def from_domain(cls, page: Page[TrainingJob]) -> Self:
        """Show a page."""
        shown = [TrainingJobView.from_domain(job) for job in page.records]
        return cls(data=TrainingJobPage(jobs=shown, count=len(shown)), next_cursor=page.next_cursor)


class MetricsPointView(NestedModel):
    """A point of a job's curves; throughput in tokens a second, GPU use in per cent."""

    sequence: int
    timestamp: str
    stage: str
    epoch: float
    step: int
    total_steps: int
    training_loss: float | None
    validation_loss: float | None
    learning_rate: float | None
    gradient_norm: float | None
    throughput: float | None
    gpu_utilization: float | None


class CostRecordView(NestedModel):
    """What one job cost, in US dollars."""

    model_config = ConfigDict(validate_by_alias=True, validate_by_name=True)

    id: str = Field(validation_alias="record_id")
    job_id: str
    cost_type: str
    amount: float
    billing_period: str
    recorded_at: str
    details: dict[str, Any]


class JobDetailsPart(NestedModel):
    """A job, its last 100 points in their order, and the record of its cost once it has one."""

    job: TrainingJobView
    metrics: list[MetricsPointView]
    cost_records: list[CostRecordView]


class TrainingJobDetails(ResponseModel):
    """GET /api/jobs/{id}."""

    data: JobDetailsPart

    @classmethod
    def from_domain(cls, details: JobDetails) -> Self:
        """Show a job with what belongs to it."""
        return cls(
            data=JobDetailsPart(
                job=TrainingJobView.from_domain(details.job),
                metrics=[MetricsPointView.model_validate(point) for point in details.metrics],
                cost_records=[
                    CostRecordView.model_validate(record) for record in details.cost_records
                ],
            )
        )


class TrainingMetricsPart(NestedModel):
    """Some points of a job's curves."""

    metrics: list[MetricsPointView]


class TrainingMetrics(ResponseModel):
    """GET /api/jobs/{id}/metrics; points in their order."""

    data: TrainingMetricsPart
    next_cursor: str | None

    @classmethod
    def from_domain(cls, page: Page[MetricsPoint]) -> Self:
        """Show a page."""
        shown = [MetricsPointView.model_validate(point) for point in page.records]
        return cls(data=TrainingMetricsPart(metrics=shown), next_cursor=page.next_cursor)


class TrainingEventView(NestedModel):
    """One thing that happened to a job."""

    model_config = ConfigDict(validate_by_alias=True, validate_by_name=True)

    id: str = Field(validation_alias="event_id")
    created_at: str
    level: EventLevel
    type: str
    message: str
    data: dict[str, Any]


class TrainingEventsPart(NestedModel):
    """Some of the things that happened to a job."""

    events: list[TrainingEventView]


class TrainingEvents(ResponseModel):
    """GET /api/jobs/{id}/events; oldest first."""

    data: TrainingEventsPart
    next_cursor: str | None

    @classmethod
    def from_domain(cls, page: Page[TrainingEvent]) -> Self:
        """Show a page."""
        shown = [TrainingEventView.model_validate(event) for event in page.records]
        return cls(data=TrainingEventsPart(events=shown), next_cursor=page.next_cursor)
