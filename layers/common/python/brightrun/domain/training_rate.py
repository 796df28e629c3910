"""How fast a training step runs: its arithmetic, the floor of launching it, and several GPUs.

time of a micro-batch = max(layers x floor, FLOPs x tokens / (peak x efficiency x width factor)).
Efficiencies, floors and the width factor were fitted on 17 published LoRA figures (mean error
7.6 %, worst 20 %): calibration, not validation. Source: spec training.md 3.1 to 3.4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from brightrun.domain.base_models import BaseModelEntry
from brightrun.domain.gpu_instances import GpuType
from brightrun.domain.training_size import Sequences

PASSES = {False: 4, True: 6}
ATTENTION_PASSES = {False: 3, True: 4}
"""FLOPs per weight and token (forward, and backward to the activations; frozen weights need no
gradient), and passes through attention; the second with activations recomputed."""
FORWARD_SHARE = 0.5
"""Validation runs the forward pass alone: 2 of the 4 FLOPs per weight."""
SCALING = {1: 1.0, 2: 0.99, 3: 0.985, 4: 0.98, 5: 0.978, 6: 0.975, 7: 0.972, 8: 0.97}
"""What several GPUs keep of their sum, for sharing gradients: assumed, unmeasured."""
QLORA_EFFICIENCY = 0.75
"""What is left of the speed where every use of a weight unpacks it first: assumed, unmeasured."""
REFERENCE_WIDTH = 4096


@dataclass(frozen=True, slots=True)
class StepTime:
    """One optimizer step: seconds, tokens of all GPUs together, and how many GPUs have work."""

    seconds: float
    tokens: float
    busy_gpus: int

    @property
    def tokens_per_second(self) -> float:
        """Tokens of all GPUs together, for every second."""
        return self.tokens / self.seconds


def flops_per_token(
    model: BaseModelEntry, *, context: float, target_share: float, recompute: bool
) -> float:
    """Floating-point operations per trained token; the trainer reports the same figure.

    The output layer counts where a token has a loss, and is never recomputed.
    """
    attention = 4 * model.hidden * context * model.layers
    return (
        PASSES[recompute] * model.body_parameters
        + 4 * model.head_parameters * target_share
        + ATTENTION_PASSES[recompute] * attention
    )


def width_factor(hidden: int) -> float:
    """Narrow layers make small matrix products, which run below a wide layer's efficiency."""
    if hidden < REFERENCE_WIDTH:
        return math.pow(hidden / REFERENCE_WIDTH, 0.55)
    return min(1.15, 1 + 0.15 * (hidden - REFERENCE_WIDTH) / REFERENCE_WIDTH)


def microbatch_seconds(
    model: BaseModelEntry, gpu: GpuType, flops: float, tokens: float, *, efficiency: float
) -> float:
    """Seconds of one micro-batch on one GPU, forward and backward."""
    arithmetic = gpu.peak_tflops * 1e12 * efficiency * width_factor(model.hidden)
    return max(model.layers * gpu.seconds_per_layer, flops * tokens / arithmetic)


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
    """A step of `batch_pairs` pairs on `gpus` GPUs: as long as the busiest GPU takes.

    A sequence is never split, so a step of two sequences leaves six of eight GPUs without work.
    """
    share = min(1.0, batch_pairs / pairs)
    tokens = data.tokens * share
    busy = min(gpus, max(1, round(data.count * share)))
    on_one = tokens / busy
    flops = flops_per_token(
        model, context=data.context, target_share=data.target_share, recompute=recompute
    )
    count = max(1, math.ceil(on_one / max(tokens_per_microbatch, data.mean_length)))
    efficiency = gpu.efficiency * (QLORA_EFFICIENCY if quantized else 1.0)
    seconds = count * microbatch_seconds(model, gpu, flops, on_one / count, efficiency=efficiency)
    return StepTime(seconds / SCALING[gpus], tokens, busy)
