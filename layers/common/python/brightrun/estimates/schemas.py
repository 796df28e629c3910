"""Requests and responses of the estimate routes, and the choices for a training job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from brightrun.catalog import presets
from brightrun.catalog.base_models import base_models, default_base_model
from brightrun.catalog.gpu_instances import GpuConfig, gpu_types, price_date, price_region
from brightrun.catalog.presets import PresetId
from brightrun.estimates.model import DEFAULT_PROFILE, EstimateRequest, Profile
from brightrun.http.schemas import NestedModel, RequestModel, ResponseModel

if TYPE_CHECKING:
    from brightrun.catalog.base_models import BaseModelEntry
    from brightrun.catalog.gpu_instances import GpuType
    from brightrun.estimates.service import Report


Name = Annotated[str, Field(min_length=1, max_length=100)]
Whole = Annotated[int, Field(ge=-(2**31), le=2**31)]
"""A number whose range the domain checks, so that every caller reads the same sentence."""
Real = Annotated[float, Field(ge=-1e9, le=1e9)]


class GpuRequest(RequestModel):
    """The GPUs: a type of GET /api/base-models, and how many."""

    type: Name
    count: Whole = 1


class HyperparametersRequest(RequestModel):
    """What differs from the preset; the preset custom needs the first four."""

    learning_rate: Real | None = None
    batch_size: Whole | None = None
    epochs: Whole | None = None
    rank: Whole | None = None
    alpha: Whole | None = None
    dropout: Real | None = None
    max_seq_length: Whole | None = None
    method: Annotated[str, Field(pattern="^(lora|rslora|qlora)$", max_length=6)] | None = None


class EstimateBody(RequestModel):
    """POST /api/jobs/estimate: of a dataset of the caller's, or of numbers.

    `pairs_per_conversation` says how many of the given pairs share a conversation: pairs that
    repeat one another's history are trained together, which saves most of their tokens.
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

    def wish(self) -> EstimateRequest:
        """What the service is asked for."""
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
    """US dollars; profile v2 knows no storage worth counting."""

    compute: float
    storage: float


class TrainingDetails(NestedModel):
    """The original's details."""

    total_steps: int
    steps_per_epoch: int
    estimated_throughput_tokens_per_sec: int
    dataset_name: str | None


class EstimateV1View(NestedModel):
    """The original's answer: US dollars and hours, two decimals each."""

    profile: Literal["v1"]
    estimated_cost: float
    cost_breakdown: CostBreakdown
    estimated_duration_hours: float
    hourly_rate: float
    training_details: TrainingDetails


class SpreadView(NestedModel):
    """What one run of ten stays below, the middle, and what nine of ten stay below."""

    p10: float
    p50: float
    p90: float


class PhaseView(NestedModel):
    """A part of the job, in seconds."""

    name: str
    billed: bool
    seconds: SpreadView


class GpuView(NestedModel):
    """The GPUs that were asked for."""

    type: str
    count: int


class HyperparametersView(NestedModel):
    """What is trained with."""

    learning_rate: float
    batch_size: int
    epochs: int
    rank: int
    alpha: int
    dropout: float
    max_seq_length: int
    method: str


class BillingView(NestedModel):
    """What is rented: whole instances, all their GPUs, at on-demand prices of a day and region."""

    instance_type: str
    instances: int
    billed_gpus: int
    usd_per_hour: float
    price_date: str
    region: str


class DataView(NestedModel):
    """What the trainer computes, in the base model's tokens."""

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


class MemoryView(NestedModel):
    """What one GPU holds, in GiB; `fits` is False where a job would run out of memory."""

    fits: bool
    weights_gib: float
    adapter_gib: float
    free_gib: float
    tokens_per_microbatch: int
    gradient_checkpointing: bool
    longest_trainable: int
    advice: str | None


class AlternativeView(NestedModel):
    """A change of the request, and what the job would take then: middle seconds and US dollars."""

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
    train_factor: SpreadView
    train_jobs: int
    overhead_factor: SpreadView
    overhead_jobs: int


class RawView(NestedModel):
    """The prediction without factors, and the original's, to compare the job with."""

    train_seconds: float
    overhead_seconds: float
    v1_seconds: float | None
    v1_cost_usd: float | None


class EstimateV2View(NestedModel):
    """Profile v2: the original's fields with better figures, and what they are made of.

    Money is US dollars on demand; durations are seconds and leave waiting for capacity aside.
    """

    profile: Literal["v2"]
    preset_id: PresetId
    estimated_cost: float
    cost_breakdown: CostBreakdown
    estimated_duration_hours: float
    hourly_rate: float
    training_details: TrainingDetails
    seconds: SpreadView
    billed_seconds: SpreadView
    cost_usd: SpreadView
    phases: list[PhaseView]
    base_model: str
    gpu_config: GpuView
    hyperparameters: HyperparametersView
    billing: BillingView
    data: DataView
    memory: MemoryView
    trainable: bool
    not_trainable_because: list[str]
    warnings: list[str]
    assumptions: list[str]
    alternatives: list[AlternativeView]
    calibration: CalibrationView
    raw: RawView


class EstimateResponse(ResponseModel):
    """POST /api/jobs/estimate."""

    data: Annotated[EstimateV1View | EstimateV2View, Field(discriminator="profile")]


class AccuracyView(NestedModel):
    """Mean absolute errors as shares of what was measured; None where nothing was."""

    jobs: int
    time_mape_v2: float | None
    time_mape_v1: float | None
    cost_mape_v2: float | None
    cost_mape_v1: float | None
    time_p90_coverage: float | None
    cost_p90_coverage: float | None


class FactorView(NestedModel):
    """What the next prediction is multiplied by, and how many jobs say so."""

    factor: SpreadView
    jobs: int


class BucketView(NestedModel):
    """One kind of run: GPU type, size of the model, and how it computes."""

    bucket: str
    accuracy: AccuracyView
    factor: FactorView


class ReportView(NestedModel):
    """The newest completed jobs; those that ended early are passed over."""

    accuracy: AccuracyView
    passed_over: int
    buckets: list[BucketView]


class AccuracyResponse(ResponseModel):
    """GET /api/jobs/estimate/accuracy."""

    data: ReportView

    @classmethod
    def from_domain(cls, report: Report) -> Self:
        """Show a report."""
        return cls(data=ReportView.model_validate(report))


class ModelView(NestedModel):
    """A base model; `revision_verified` is False where the pin was not compared with the hub."""

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
    default: bool

    @classmethod
    def from_domain(cls, model: BaseModelEntry) -> Self:
        """Show a model."""
        shown = {name: getattr(model, name) for name in cls.model_fields if name != "default"}
        return cls(**shown, default=model.key == default_base_model().key)


class InstanceView(NestedModel):
    """An instance that has the GPUs; US dollars an hour, on demand."""

    type: str
    gpus: int
    usd_per_hour: float
    price_source: str


class GpuTypeView(NestedModel):
    """A GPU type; where it is not trainable, why."""

    key: str
    aliases: list[str]
    memory_gib: float
    counts: list[int]
    trainable: bool
    not_trainable: str | None
    instances: list[InstanceView]

    @classmethod
    def from_domain(cls, gpu: GpuType) -> Self:
        """Show a type."""
        return cls(
            key=gpu.key,
            aliases=list(gpu.aliases),
            memory_gib=gpu.memory_gib,
            counts=list(range(1, gpu.most + 1)),
            trainable=gpu.trainable,
            not_trainable=gpu.not_trainable,
            instances=[InstanceView.model_validate(one) for one in gpu.instances],
        )


class PresetView(NestedModel):
    """A preset; custom has no values of its own."""

    id: PresetId
    default: bool
    hyperparameters: HyperparametersView | None


class RangeView(NestedModel):
    """The lowest and highest value of a hyperparameter."""

    lowest: float
    highest: float


class ChoicesView(NestedModel):
    """Everything a training job can be made of, and the day and region of the prices."""

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
        """Show the registry."""
        return cls(
            data=ChoicesView(
                base_models=[ModelView.from_domain(model) for model in base_models()],
                gpu_types=[GpuTypeView.from_domain(gpu) for gpu in gpu_types()],
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
