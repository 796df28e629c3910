"""Requests and responses of the estimate routes, and the choices for a training job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from brightrun.catalog import presets
from brightrun.catalog.base_models import base_models
from brightrun.catalog.gpu_instances import (
    GpuConfig,
    Instance,
    gpu_types,
    price_date,
    price_region,
)
from brightrun.catalog.presets import PresetId
from brightrun.estimates.calibration import Quantiles
from brightrun.estimates.memory import MemoryPlan
from brightrun.estimates.model import DEFAULT_PROFILE, EstimateRequest, Profile
from brightrun.estimates.run_schemas import (
    GpuRequest,
    HyperparametersRequest,
    HyperparametersView,
    Name,
)
from brightrun.estimates.service import AccuracyReport
from brightrun.http.schemas import NestedModel, RequestModel, ResponseModel

if TYPE_CHECKING:
    pass


class EstimateBody(RequestModel):
    """POST /api/jobs/estimate, for one of the caller's datasets or for given numbers.

    `pairs_per_conversation` is how many of the given pairs share a conversation: pairs that repeat
    one another's history are trained together, which saves most of their tokens.
    """

    dataset_id: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,100}$", max_length=100)] | None = (
        None
    )
    total_training_pairs: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    total_tokens: Annotated[int, Field(ge=1, le=100_000_000_000)] | None = None
    pairs_per_conversation: Annotated[float, Field(ge=1, le=1000)] = 1.0
    profile: Profile = DEFAULT_PROFILE
    base_model: Name | None = None
    preset_id: Name | None = None
    gpu_config: GpuRequest
    hyperparameters: HyperparametersRequest = HyperparametersRequest()

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.dataset_id is not None and self.total_training_pairs is not None:
            raise ValueError("give dataset_id or total_training_pairs, not both")
        return self

    def to_request(self) -> EstimateRequest:
        """The request to the service."""
        return EstimateRequest(
            gpu=GpuConfig(self.gpu_config.type, self.gpu_config.count),
            profile=self.profile,
            dataset_id=self.dataset_id,
            pairs=self.total_training_pairs,
            tokens=self.total_tokens,
            pairs_per_conversation=self.pairs_per_conversation,
            base_model=self.base_model,
            preset_id=self.preset_id,
            hyperparameters=self.hyperparameters.model_dump(exclude_none=True),
        )


class CostBreakdown(NestedModel):
    """US dollars; profile v2 counts no storage."""

    compute: float
    storage: float


class TrainingDetails(NestedModel):
    """The details that v1 gives; no throughput if the job does not fit."""

    total_steps: int
    steps_per_epoch: int
    estimated_throughput_tokens_per_sec: int | None
    dataset_name: str | None


class EstimateV1View(NestedModel):
    """v1's estimate: US dollars and hours, two decimals each."""

    profile: Literal["v1"]
    estimated_cost: float
    cost_breakdown: CostBreakdown
    estimated_duration_hours: float
    hourly_rate: float
    training_details: TrainingDetails


class PhaseView(NestedModel):
    """A phase of the job, in seconds."""

    name: str
    billed: bool
    seconds: Quantiles


class BillingView(NestedModel):
    """Whole instances with all their GPUs, at the on-demand prices of a day and region."""

    instance_type: str
    instances: int
    billed_gpus: int
    usd_per_hour: float
    price_date: str
    region: str


class DataView(NestedModel):
    """What the trainer will compute, in the base model's tokens."""

    pairs: int
    validation_pairs: int
    pairs_per_conversation: float
    tokens_per_pair: float
    tokens_per_epoch: int
    sequences_per_epoch: int
    merge_factor: float
    mean_sequence_tokens: float
    longest_sequence_tokens: int
    truncated_share: float
    busy_gpus: int


class AlternativeView(NestedModel):
    """A change of the request, and the median seconds and US dollars of the changed job."""

    change: str
    seconds: int
    cost_usd: float
    cheaper: bool
    faster: bool
    settings: dict[str, Any]
    note: str | None


class CalibrationView(NestedModel):
    """The factors in use, and from how many finished jobs they were learned."""

    bucket: str
    train_factor: Quantiles
    train_jobs: int
    overhead_factor: Quantiles
    overhead_jobs: int


class RawView(NestedModel):
    """The prediction without factors, and v1's, to compare the finished job with."""

    train_seconds: float
    overhead_seconds: float
    v1_seconds: float | None
    v1_cost_usd: float | None


class EstimateV2View(NestedModel):
    """Profile v2: v1's fields with better figures, and what they are made of.

    Money is US dollars on demand; durations are seconds without waiting for capacity. A job that
    does not fit into the GPU's memory (`memory.fits`) has neither time nor price: those are null,
    `memory.advice` has the reason and a remedy, and `alternatives` is what would fit.
    """

    profile: Literal["v2"]
    preset_id: PresetId
    estimated_cost: float | None
    cost_breakdown: CostBreakdown | None
    estimated_duration_hours: float | None
    hourly_rate: float
    training_details: TrainingDetails
    seconds: Quantiles | None
    billed_seconds: Quantiles | None
    cost_usd: Quantiles | None
    phases: list[PhaseView]
    base_model: str
    gpu_config: GpuConfig
    hyperparameters: HyperparametersView
    billing: BillingView
    data: DataView
    memory: MemoryPlan
    trainable: bool
    not_trainable_because: list[str]
    warnings: list[str]
    assumptions: list[str]
    alternatives: list[AlternativeView]
    calibration: CalibrationView
    raw: RawView | None


class EstimateResponse(ResponseModel):
    """POST /api/jobs/estimate."""

    data: Annotated[EstimateV1View | EstimateV2View, Field(discriminator="profile")]


class AccuracyResponse(ResponseModel):
    """GET /api/jobs/estimate/accuracy."""

    data: AccuracyReport


class ModelView(NestedModel):
    """A base model; `revision_verified` is false if the revision was not compared with the hub.

    `target_modules` are those that an adapter may train, since vLLM serves no other.
    """

    key: str
    hub_id: str
    revision: str
    revision_verified: bool
    parameters: int
    context_length: int
    chat_template: bool
    license: str
    gated: bool
    local_only: bool
    target_modules: list[str]
    default: bool


class GpuTypeView(NestedModel):
    """A GPU type; `not_trainable` is the reason, if jobs cannot be trained on it."""

    key: str
    aliases: list[str]
    memory_gib: float
    counts: list[int]
    trainable: bool
    not_trainable: str | None
    instances: list[Instance]


class PresetView(NestedModel):
    """A preset; custom has no values."""

    id: PresetId
    default: bool
    hyperparameters: HyperparametersView | None


class RangeView(NestedModel):
    """The lowest and highest value of a hyperparameter."""

    lowest: float
    highest: float


class ChoicesView(NestedModel):
    """What a training job can be created with, and the day and region of the prices."""

    base_models: list[ModelView]
    gpu_types: list[GpuTypeView]
    presets: list[PresetView]
    ranges: dict[str, RangeView]
    price_date: str
    price_region: str


class ChoicesResponse(ResponseModel):
    """GET /api/base-models."""

    data: ChoicesView

    @classmethod
    def of_registry(cls) -> Self:
        """The contents of the catalog."""
        return cls(
            data=ChoicesView(
                base_models=[ModelView.model_validate(model) for model in base_models()],
                gpu_types=[GpuTypeView.model_validate(gpu) for gpu in gpu_types()],
                presets=[_preset(name) for name in presets.PRESET_IDS],
                ranges={
                    name: RangeView(lowest=low, highest=high)
                    for name, (low, high) in presets.RANGES.items()
                },
                price_date=price_date(),
                price_region=price_region(),
            )
        )


def _preset(name: PresetId) -> PresetView:
    values = presets.PRESETS.get(name)
    return PresetView(
        id=name,
        default=name == presets.DEFAULT_PRESET,
        hyperparameters=HyperparametersView.model_validate(values) if values else None,
    )
