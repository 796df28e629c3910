"""Profile v2: time and cost of a training job from the model, the data, the GPU and the instance.

Nothing here was measured on a GPU of ours: rates are fitted on published figures (training_rate),
the other phases are priors (training_phases), and finished jobs correct both
(estimate_calibration). What is only assumed says so in the answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from brightrun.domain.base_models import BaseModelEntry
from brightrun.domain.estimate_calibration import Calibration, Factor, bucket_of
from brightrun.domain.gpu_instances import GpuType, billing, gpu_type
from brightrun.domain.spread import Spread, total
from brightrun.domain.training_job import Billing, GpuConfig, Hyperparameters
from brightrun.domain.training_memory import MemoryPlan, plan_memory
from brightrun.domain.training_phases import Phase, phases_before, saving
from brightrun.domain.training_rate import FORWARD_SHARE, StepTime, step_time
from brightrun.domain.training_size import Sequences, TrainingSize, sequences

SMOKE_MAX_SEQ_LENGTH = 8192
"""training_container/recipes/smoke_cpu.yaml, by which the tiny model is always trained."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be trained, on what, and how; `name` is the dataset's, where there is one."""

    size: TrainingSize
    model: BaseModelEntry
    gpu: GpuConfig
    hyper: Hyperparameters
    name: str | None = None


@dataclass(frozen=True)
class Prediction:
    """Time and cost of a plan: everything that follows from it alone.

    `train_factor` and `overhead_factor` are contained in the seconds already; `raw_train_s` and
    `raw_overhead_s`, without them, are what the job is compared with when it has ended.
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
    def seconds(self) -> Spread:
        """From the start of the job to its end, waiting for free capacity aside."""
        waiting = [phase.seconds for phase in self.phases if not phase.billed]
        return total([self.billed_seconds, *waiting])

    @property
    def billed_seconds(self) -> Spread:
        """What SageMaker bills, for each instance."""
        train, others = self._billed(training=True), self._billed(training=False)
        learned = self.overhead_factor
        # What was learned of the other phases is the spread of their sum, not of each.
        together = learned.factor.times(self.raw_overhead_s) if learned.jobs else total(others)
        return total([*train, together])

    @property
    def cost_usd(self) -> Spread:
        """All instances together, on demand."""
        return self.billed_seconds.times(self.billing.usd_per_hour / 3600)

    def _billed(self, *, training: bool) -> list[Spread]:
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
    others = _others(plan, gpu, data, step, steps_per_epoch * hyper.epochs)
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
    """Tokens of the longest sequence that is trained; the tiny model's recipe has its own limit."""
    if plan.model.local_only:
        return SMOKE_MAX_SEQ_LENGTH
    return min(plan.hyper.max_seq_length, plan.model.context_length)


def _others(
    plan: Plan, gpu: GpuType, data: Sequences, step: StepTime, steps: int
) -> tuple[Phase, ...]:
    """Every phase but training; evaluating and saving come last."""
    size = plan.size
    stored = (size.pairs + size.validation_pairs) * size.tokens_per_pair * plan.model.token_factor
    held_out = data.tokens * size.validation_pairs / size.pairs
    # Once before the first step, then after every epoch.
    evaluated = held_out * (plan.hyper.epochs + 1) * FORWARD_SHARE
    evaluate = Spread.around(evaluated / step.tokens_per_second, 0.3)
    return (
        *phases_before(plan.model, gpu, plan.hyper.method, stored),
        Phase("evaluate", evaluate),
        saving(plan.model, gpu, plan.hyper.rank, steps),
    )


def _corrected(phase: Phase, learned: Factor) -> Phase:
    if not phase.billed or not learned.jobs:
        return phase
    return Phase(phase.name, learned.factor.times(phase.seconds.p50))
