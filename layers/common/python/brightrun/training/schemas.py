"""Requests and responses of the training job routes."""

from __future__ import annotations

import json
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ConfigDict, Field

from brightrun.catalog.gpu_instances import Billing, GpuConfig
from brightrun.catalog.presets import PresetId
from brightrun.core.fields import Flag
from brightrun.core.pages import Page
from brightrun.datasets.receipts.schemas import TemplateDate, TemplateVariables
from brightrun.estimates.run_schemas import GpuRequest, HyperparametersRequest, HyperparametersView
from brightrun.estimates.run_schemas import Name as RegistryName
from brightrun.http.schemas import (
    Name,
    NestedModel,
    PageCount,
    RequestModel,
    ResponseModel,
)
from brightrun.sft.settings import TEMPLATE_DATE
from brightrun.training.costs.schemas import CostRecordView
from brightrun.training.create_training_job import TrainingJobRequest
from brightrun.training.model import (
    DatasetCheck,
    DatasetReference,
    EventLevel,
    JobStage,
    JobStatus,
    MetricsPoint,
    TrainingEvent,
    TrainingJob,
)
from brightrun.training.service import JobDetails


class TrainingJobBody(RequestModel):
    """POST /api/jobs; a preset with changed values becomes the preset custom."""

    dataset_id: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,100}$", max_length=100)]
    gpu_config: GpuRequest
    name: Name | None = None
    preset_id: RegistryName | None = None
    base_model: RegistryName | None = None
    hyperparameters: HyperparametersRequest = HyperparametersRequest()
    max_cost_usd: Annotated[float, Field(ge=0.0001, le=1_000_000)] | None = Field(
        default=None, description="Training stops at this cost, and still delivers an adapter."
    )
    template_variables: TemplateVariables = {}
    template_date: TemplateDate = TEMPLATE_DATE
    use_spot: Flag = False
    allow_simulated: Flag = Field(
        default=False, description="Train on simulated conversations, which no model wrote, too."
    )
    estimated_cost: Annotated[float, Field(ge=0, le=1_000_000)] | None = Field(
        default=None, description="Sent by v1's page and ignored; the server's estimate counts."
    )

    def to_request(self) -> TrainingJobRequest:
        """The request to the service."""
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
            template_variables=self.template_variables,
            template_date=self.template_date,
        )


class TrainingJobView(NestedModel):
    """A training job; money in US dollars, durations in seconds, progress in per cent.

    `settled` is true once the bill is closed: a cancelled job costs money until SageMaker has
    stopped it. `current_cost` is the cost at the time of the response.
    """

    model_config = ConfigDict(validate_by_alias=True, validate_by_name=True)

    id: str = Field(validation_alias="job_id")
    user_id: str = Field(validation_alias="owner_id")
    name: str
    dataset_id: str
    dataset: DatasetReference
    base_model: str
    preset_id: PresetId
    hyperparameters: HyperparametersView
    gpu_config: GpuConfig
    billing: Billing
    use_spot: bool
    max_cost_usd: float | None
    template_variables: Annotated[dict[str, Any], BeforeValidator(json.loads)]
    template_date: str
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
    dataset_check: DatasetCheck | None
    version: int


class TrainingJobResponse(ResponseModel):
    """One training job."""

    data: TrainingJobView

    @classmethod
    def from_domain(cls, job: TrainingJob) -> Self:
        """The response for a job."""
        return cls(data=TrainingJobView.model_validate(job))


class TrainingJobPage(NestedModel):
    """A page of training jobs."""

    jobs: list[TrainingJobView]
    count: PageCount


class TrainingJobList(ResponseModel):
    """GET /api/jobs."""

    data: TrainingJobPage
    next_cursor: str | None

    @classmethod
    def from_domain(cls, page: Page[TrainingJob]) -> Self:
        """The response for a page."""
        data = {"jobs": page.records, "count": len(page.records)}
        return cls.model_validate({"data": data, "next_cursor": page.next_cursor})


class MetricsPointView(NestedModel):
    """A job's metrics at a step; throughput in tokens per second, GPU use in per cent."""

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


class JobDetailsPart(NestedModel):
    """A job, its last 100 metrics points, and its cost record once the bill is closed."""

    job: TrainingJobView
    metrics: list[MetricsPointView]
    cost_records: list[CostRecordView]


class TrainingJobDetails(ResponseModel):
    """GET /api/jobs/{id}."""

    data: JobDetailsPart

    @classmethod
    def from_domain(cls, details: JobDetails) -> Self:
        """The response for a job with its metrics and costs."""
        return cls(data=JobDetailsPart.model_validate(details))


class TrainingMetricsPart(NestedModel):
    """A page of metrics points."""

    metrics: list[MetricsPointView]


class TrainingMetrics(ResponseModel):
    """GET /api/jobs/{id}/metrics; points in the order of the run."""

    data: TrainingMetricsPart
    next_cursor: str | None

    @classmethod
    def from_domain(cls, page: Page[MetricsPoint]) -> Self:
        """The response for a page."""
        data = {"metrics": page.records}
        return cls.model_validate({"data": data, "next_cursor": page.next_cursor})


class TrainingEventView(NestedModel):
    """An event of a job."""

    model_config = ConfigDict(validate_by_alias=True, validate_by_name=True)

    id: str = Field(validation_alias="event_id")
    created_at: str
    level: EventLevel
    type: str
    message: str
    data: dict[str, Any]


class TrainingEventsPart(NestedModel):
    """A page of events."""

    events: list[TrainingEventView]


class TrainingEvents(ResponseModel):
    """GET /api/jobs/{id}/events; oldest first."""

    data: TrainingEventsPart
    next_cursor: str | None

    @classmethod
    def from_domain(cls, page: Page[TrainingEvent]) -> Self:
        """The response for a page."""
        data = {"events": page.records}
        return cls.model_validate({"data": data, "next_cursor": page.next_cursor})
