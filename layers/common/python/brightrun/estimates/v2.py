"""Profile v2: time and cost of a training job from model, data, GPU and instance.

time of a micro-batch = max(layers x floor, FLOPs x tokens / (peak x efficiency x width factor)),
and the time to unpack 4-bit weights. The efficiencies are those of eager trainers, because Bright
Run's is one. All were fitted on published LoRA figures (13 of eager trainers: mean error 9 %, worst
20 %): calibration, not validation. Source: spec training.md 3.1 to 3.4.

Figures are a median and a ninetieth percentile. SageMaker bills from the time an instance starts to
work for a job: fetching the image and the model is billed, waiting for an instance is not.

No figure was measured on a GPU: rates are fitted on published figures, the other phases are priors,
and finished jobs correct both (calibration.py). The estimate lists what is assumed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from brightrun.catalog.base_models import BaseModelEntry
from brightrun.catalog.gpu_instances import Billing, GpuConfig, GpuType, billing, gpu_type
from brightrun.catalog.presets import Hyperparameters
from brightrun.estimates.calibration import Calibration, Factor, Quantiles, bucket_of, total
from brightrun.estimates.memory import (
    BYTES_A_WEIGHT,
    MemoryPlan,
    adapter_parameters,
    plan_memory,
)
from brightrun.estimates.size import Sequences, TrainingSize, sequences
from brightrun.sft.settings import evaluations_an_epoch

PASSES = {False: 4, True: 6}
ATTENTION_PASSES = {False: 3, True: 4}
"""FLOPs per weight and token (forward, and backward to the activations; frozen weights need no
gradient), and passes through attention; by whether activations are recomputed."""
FORWARD_SHARE = 0.5
"""Evaluation runs the forward pass alone: 2 of the 4 FLOPs per weight."""
SCALING = {1: 1.0, 2: 0.99, 3: 0.985, 4: 0.98, 5: 0.978, 6: 0.975, 7: 0.972, 8: 0.97}
"""Efficiency of several GPUs, which exchange gradients: assumed, not measured."""
UNPACKED_BYTES = 5.2
"""Memory traffic to unpack a 4-bit weight, once in each pass of a micro-batch through the layers,
however many tokens it has: 2.5 bytes are moved, at half the memory's speed. Fitted on torchtune's
8,210 tokens/s of LoRA and 8,035 of QLoRA (3B, A100, micro-batches of 8,192 tokens), which is 2 %;
small micro-batches lose more."""
REFERENCE_WIDTH = 4096


@dataclass(frozen=True, slots=True)
class StepTime:
    """One optimizer step: seconds, tokens of all GPUs together, and how many GPUs are busy."""

    seconds: float
    tokens: float
    busy_gpus: int

    @property
    def tokens_per_second(self) -> float:
        """Tokens per second of all GPUs together."""
        return self.tokens / self.seconds


def flops_per_token(
    model: BaseModelEntry, *, context: float, target_share: float, recompute: bool
) -> float:
    """Floating-point operations per trained token; the trainer reports the same figure.

    The output layer counts for tokens with a loss only, and is never recomputed.
    """
    attention = 4 * model.hidden * context * model.layers
    return (
        PASSES[recompute] * model.body_parameters
        + 4 * model.head_parameters * target_share
        + ATTENTION_PASSES[recompute] * attention
    )


def width_factor(hidden: int) -> float:
    """Efficiency relative to 4,096-wide layers: narrow ones have small matrix products."""
    if hidden < REFERENCE_WIDTH:
        return math.pow(hidden / REFERENCE_WIDTH, 0.55)
    return min(1.15, 1 + 0.15 * (hidden - REFERENCE_WIDTH) / REFERENCE_WIDTH)


def microbatch_seconds(model: BaseModelEntry, gpu: GpuType, flops: float, tokens: float) -> float:
    """Seconds of one micro-batch on one GPU, forward and backward."""
    arithmetic = gpu.peak_tflops * 1e12 * gpu.efficiency * width_factor(model.hidden)
    return max(model.layers * gpu.seconds_per_layer, flops * tokens / arithmetic)


def unpacking_seconds(model: BaseModelEntry, gpu: GpuType, *, recompute: bool) -> float:
    """Seconds of one micro-batch in which 4-bit weights are unpacked to bf16."""
    passes = PASSES[recompute] / 2
    return passes * UNPACKED_BYTES * model.body_parameters / (gpu.memory_gb_per_s * 1e9)


def step_time(
    model: BaseModelEntry,
    gpu: GpuType,
    data: Sequences,
    *,
    gpus: int,
    batch_pairs: float,
    pairs: int,
    tokens_per_microbatch: int,
    recompute: bool,
    quantized: bool,
) -> StepTime:
    """The time of a step of `batch_pairs` pairs on `gpus` GPUs: that of the busiest GPU.

    A sequence is never split, so that a step of two sequences leaves six of eight GPUs idle.
    """
    share = min(1.0, batch_pairs / pairs)
    tokens = data.tokens * share
    busy = min(gpus, max(1, round(data.count * share)))
    per_gpu = tokens / busy
    flops = flops_per_token(
        model, context=data.context, target_share=data.target_share, recompute=recompute
    )
    count = max(1, math.ceil(per_gpu / max(tokens_per_microbatch, data.mean_length)))
    seconds = microbatch_seconds(model, gpu, flops, per_gpu / count)
    if quantized:
        seconds += unpacking_seconds(model, gpu, recompute=recompute)
    return StepTime(count * seconds / SCALING[gpus], tokens, busy)


PhaseName = Literal[
    "provision", "image", "download_model", "load_model", "tokenise", "train", "evaluate", "save"
]
PROVISION_S = (65.0, 240.0)
IMAGE_S = (60.0, 171.0)
"""In a published SageMaker log training started after 3 min 56 s, 2 min 51 s of it for a large
image; Bright Run's is a third of its size (assumed)."""
DOWNLOAD_BYTES_PER_S = (0.5e9, 0.25e9)
LOAD_BYTES_PER_S = (1.0e9, 0.5e9)
"""S3 to the instance's disk, disk to GPU: assumed, not measured."""
SETUP_S = (8.0, 20.0)
"""Imports and initialization of the processes."""
TOKENS_PER_S = (150_000.0, 60_000.0)
"""Rendering and tokenising in one process: at least this on the 44 pairs (measured on a CPU)."""
UPLOAD_S = (20.0, 60.0)
"""model.tar.gz to S3 and SageMaker's shutdown: assumed."""
CHECKPOINT_EVERY = 50
CHECKPOINT_BYTES_A_WEIGHT = 16
CHECKPOINT_BYTES_PER_S = (1.0e9, 0.4e9)
CPU_PROVISION_S = (1.5, 4.0)
CPU_SETUP_S = (3.6, 9.0)
CPU_UPLOAD_S = (0.6, 2.5)
"""A local run: process start, imports and loading, saving and checking. Measured over four runs of
the tiny model: 5.3 to 5.9 s besides training, independent of what was trained."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of a job and its seconds; `billed` is False for waiting."""

    name: PhaseName
    seconds: Quantiles
    billed: bool = True


def phases_before(model: BaseModelEntry, gpu: GpuType, tokens: float) -> tuple[Phase, ...]:
    """The phases before the first step; `tokens` are those of all pairs, before merging."""
    tokenise = Phase("tokenise", _at(tokens, TOKENS_PER_S))
    if gpu.is_cpu:
        return (
            Phase("provision", _prior(CPU_PROVISION_S), billed=False),
            Phase("load_model", _prior(CPU_SETUP_S)),
            tokenise,
        )
    stored = BYTES_A_WEIGHT * model.parameters  # bf16 for QLoRA too: quantized while loading
    setup = _prior(SETUP_S)
    return (
        Phase("provision", _prior(PROVISION_S), billed=False),
        Phase("image", _prior(IMAGE_S)),
        Phase("download_model", _at(stored, DOWNLOAD_BYTES_PER_S)),
        Phase("load_model", _at(stored, LOAD_BYTES_PER_S).plus(setup)),
        tokenise,
    )


def saving(model: BaseModelEntry, gpu: GpuType, rank: int, steps: int) -> Phase:
    """Checkpoints while training, then the adapter, its checks and its upload."""
    if gpu.is_cpu:
        return Phase("save", _prior(CPU_UPLOAD_S))
    written = CHECKPOINT_BYTES_A_WEIGHT * adapter_parameters(model, rank)
    checkpoints = _at(written * (1 + steps // CHECKPOINT_EVERY), CHECKPOINT_BYTES_PER_S)
    last = _prior(UPLOAD_S)
    return Phase("save", checkpoints.plus(last))


def _prior(p50_and_p90: tuple[float, float]) -> Quantiles:
    p50, p90 = p50_and_p90
    return Quantiles(p50 * p50 / p90, p50, p90)


def _at(amount: float, rates: tuple[float, float]) -> Quantiles:
    usual, slow = rates
    return _prior((amount / usual, amount / slow))


SMOKE_MAX_SEQ_LENGTH = 8192
"""training_container/recipes/smoke_cpu.yaml, the recipe of the tiny model."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The data, model, GPUs and hyperparameters of a job; `name` is the dataset's, if any."""

    size: TrainingSize
    model: BaseModelEntry
    gpu: GpuConfig
    hyper: Hyperparameters
    name: str | None = None


@dataclass(frozen=True)
class Prediction:
    """Time and cost of a plan.

    The seconds include `train_factor` and `overhead_factor`; `raw_train_s` and `raw_overhead_s` do
    not, and are compared with the finished job.
    """

    plan: Plan
    gpu: GpuType
    billing: Billing
    memory: MemoryPlan
    data: Sequences
    step: StepTime
    steps_per_epoch: int
    phases: tuple[Phase, ...]
    bucket: str
    train_factor: Factor
    overhead_factor: Factor
    raw_train_s: float
    raw_overhead_s: float

    @property
    def total_steps(self) -> int:
        """Optimizer steps of all epochs."""
        return self.steps_per_epoch * self.plan.hyper.epochs

    @property
    def seconds(self) -> Quantiles:
        """From the start of the job to its end, without waiting for capacity."""
        waiting = [phase.seconds for phase in self.phases if not phase.billed]
        return total([self.billed_seconds, *waiting])

    @property
    def billed_seconds(self) -> Quantiles:
        """What SageMaker bills, for each instance."""
        train, others = self._billed(training=True), self._billed(training=False)
        overhead = self.overhead_factor
        # The learned uncertainty is that of the other phases' sum, not of each.
        rest = overhead.factor.times(self.raw_overhead_s) if overhead.jobs else total(others)
        return total([*train, rest])

    @property
    def cost_usd(self) -> Quantiles:
        """All instances together, on demand."""
        return self.billed_seconds.times(self.billing.usd_per_hour / 3600)

    def _billed(self, *, training: bool) -> list[Quantiles]:
        billed = [phase for phase in self.phases if phase.billed]
        return [one.seconds for one in billed if (one.name == "train") is training]


def predict(plan: Plan, calibration: Calibration) -> Prediction:
    """Predict a plan; raises InvalidInputError for an unknown GPU type or count."""
    gpu, hyper, model = gpu_type(plan.gpu.type), plan.hyper, plan.model
    rent = billing(plan.gpu.type, plan.gpu.count)
    memory = plan_memory(model, gpu, hyper)
    data = sequences(
        plan.size, model.token_factor, batch_size=hyper.batch_size, limit=longest_sequence(plan)
    )
    quantized = hyper.method == "qlora"
    step = step_time(
        model,
        gpu,
        data,
        gpus=rent.billed_gpus,  # the launcher starts a process on every GPU of an instance
        batch_pairs=hyper.batch_size,
        pairs=plan.size.pairs,
        tokens_per_microbatch=memory.tokens_per_microbatch,
        recompute=memory.gradient_checkpointing,
        quantized=quantized,
    )
    steps_per_epoch = math.ceil(plan.size.pairs / hyper.batch_size)
    raw_train = data.tokens * hyper.epochs / step.tokens_per_second
    bucket = bucket_of(gpu.key, model, memory.gradient_checkpointing, quantized)
    others = _other_phases(plan, gpu, data, step, steps_per_epoch * hyper.epochs)
    train_factor = calibration.of("train", bucket)
    overhead_factor = calibration.of("overhead", gpu.key)
    train = Phase("train", train_factor.factor.times(raw_train))
    corrected = [_corrected(phase, overhead_factor) for phase in others]
    return Prediction(
        plan=plan,
        gpu=gpu,
        billing=rent,
        memory=memory,
        data=data,
        step=step,
        steps_per_epoch=steps_per_epoch,
        phases=(*corrected[:-2], train, *corrected[-2:]),
        bucket=bucket,
        train_factor=train_factor,
        overhead_factor=overhead_factor,
        raw_train_s=raw_train,
        raw_overhead_s=sum(phase.seconds.p50 for phase in others if phase.billed),
    )


def longest_sequence(plan: Plan) -> int:
    """Tokens of the longest sequence trained; the tiny model's recipe has its own limit."""
    if plan.model.local_only:
        return SMOKE_MAX_SEQ_LENGTH
    return min(plan.hyper.max_seq_length, plan.model.context_length)


def _other_phases(
    plan: Plan, gpu: GpuType, data: Sequences, step: StepTime, steps: int
) -> tuple[Phase, ...]:
    """All phases but training; evaluation and saving come last."""
    size = plan.size
    stored_tokens = (
        (size.pairs + size.validation_pairs) * size.tokens_per_pair * plan.model.token_factor
    )
    held_out = data.tokens * size.validation_pairs / size.pairs
    hyper = plan.hyper
    evaluations = evaluations_an_epoch(
        hyper.evaluations_per_epoch,
        pairs=size.pairs,
        batch_size=hyper.batch_size,
        epochs=hyper.epochs,
    )
    # Once more before the first step.
    evaluated = held_out * (1 + evaluations * hyper.epochs) * FORWARD_SHARE
    evaluate = Quantiles.around(evaluated / step.tokens_per_second, 0.3)
    return (
        *phases_before(plan.model, gpu, stored_tokens),
        Phase("evaluate", evaluate),
        saving(plan.model, gpu, plan.hyper.rank, steps),
    )


def _corrected(phase: Phase, overhead: Factor) -> Phase:
    if not phase.billed or not overhead.jobs:
        return phase
    return Phase(phase.name, overhead.factor.times(phase.seconds.p50))
