"""How estimates and their accuracy are shown."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field

from brightrun.api.shapes import Answer, Part
from brightrun.domain.training_job import PresetId
from brightrun.services.measure_accuracy import Report


class CostBreakdown(Part):
    """US dollars; profile v2 knows no storage worth counting."""

    compute: float
    storage: float


class TrainingDetails(Part):
    """The original's details."""

    total_steps: int
    steps_per_epoch: int
    estimated_throughput_tokens_per_sec: int
    dataset_name: str | None


class EstimateV1View(Part):
    """The original's answer: US dollars and hours, two decimals each."""

    profile: Literal["v1"]
    estimated_cost: float
    cost_breakdown: CostBreakdown
    estimated_duration_hours: float
    hourly_rate: float
    training_details: TrainingDetails


class SpreadView(Part):
    """What one run of ten stays below, the middle, and what nine of ten stay below."""

    p10: float
    p50: float
    p90: float


class PhaseView(Part):
    """A part of the job, in seconds."""

    name: str
    billed: bool
    seconds: SpreadView


class GpuView(Part):
    """The GPUs that were asked for."""

    type: str
    count: int


class HyperparametersView(Part):
    """What is trained with."""

    learning_rate: float
    batch_size: int
    epochs: int
    rank: int
    alpha: int
    dropout: float
    max_seq_length: int
    method: str


class BillingView(Part):
    """What is rented: whole instances, all their GPUs, at on-demand prices of a day and region."""

    instance_type: str
    instances: int
    billed_gpus: int
    usd_per_hour: float
    price_date: str
    region: str


class DataView(Part):
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


class MemoryView(Part):
    """What one GPU holds, in GiB; `fits` is False where a job would run out of memory."""

    fits: bool
    weights_gib: float
    adapter_gib: float
    free_gib: float
    tokens_per_microbatch: int
    gradient_checkpointing: bool
    longest_trainable: int
    advice: str | None


class AlternativeView(Part):
    """A change of the request, and what the job would take then: middle seconds and US dollars."""

    change: str
    seconds: int
    cost_usd: float
    cheaper: bool
    faster: bool
    settings: dict[str, Any]
    note: str | None


class CalibrationView(Part):
    """The factors in use, and from how many finished jobs they were learned."""

    bucket: str
    train_factor: SpreadView
    train_jobs: int
    overhead_factor: SpreadView
    overhead_jobs: int


class RawView(Part):
    """The prediction without factors, and the original's, to compare the job with."""

    train_seconds: float
    overhead_seconds: float
    v1_seconds: float | None
    v1_cost_usd: float | None


class EstimateV2View(Part):
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


class EstimateAnswer(Answer):
    """POST /api/jobs/estimate."""

    data: Annotated[EstimateV1View | EstimateV2View, Field(discriminator="profile")]


class AccuracyView(Part):
    """Mean absolute errors as shares of what was measured; None where nothing was."""

    jobs: int
    time_mape_v2: float | None
    time_mape_v1: float | None
    cost_mape_v2: float | None
    cost_mape_v1: float | None
    time_p90_coverage: float | None
    cost_p90_coverage: float | None


class FactorView(Part):
    """What the next prediction is multiplied by, and how many jobs say so."""

    factor: SpreadView
    jobs: int


class BucketView(Part):
    """One kind of run: GPU type, size of the model, and how it computes."""

    bucket: str
    accuracy: AccuracyView
    factor: FactorView


class ReportView(Part):
    """The newest completed jobs; those that ended early are passed over."""

    accuracy: AccuracyView
    passed_over: int
    buckets: list[BucketView]


class AccuracyAnswer(Answer):
    """GET /api/jobs/estimate/accuracy."""

    data: ReportView

    @classmethod
    def of(cls, report: Report) -> Self:
        """Show a report."""
        return cls(data=ReportView.model_validate(report))
