"""What a job does besides training, and how long that takes: priors, until jobs have measured it.

Each is a middle and a ninetieth percentile. SageMaker bills from the moment an instance starts to
work for a job: fetching the image and the model are billed, waiting for an instance is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from brightrun.domain.base_models import BaseModelEntry
from brightrun.domain.gpu_instances import GpuType
from brightrun.domain.spread import Spread
from brightrun.domain.training_memory import adapter_parameters, weight_bytes

PhaseName = Literal[
    "provision", "image", "download_model", "load_model", "tokenise", "train", "evaluate", "save"
]

PROVISION_S = (65.0, 240.0)
IMAGE_S = (60.0, 171.0)
"""A published SageMaker log took 3 min 56 s to the start of training, 2 min 51 s of it for a large
image; ours is a third of its size (assumed)."""
DOWNLOAD_BYTES_PER_S = (0.5e9, 0.25e9)
LOAD_BYTES_PER_S = (1.0e9, 0.5e9)
"""S3 to the instance's disk, disk to GPU: assumed, unmeasured."""
SETUP_S = (8.0, 20.0)
"""Imports and joining the processes."""
TOKENS_PER_S = (150_000.0, 60_000.0)
"""Rendering and tokenising, in one process: at least that on the 44 pairs (measured on a CPU)."""
UPLOAD_S = (20.0, 60.0)
"""model.tar.gz to S3 and SageMaker's own end: assumed."""
CHECKPOINT_EVERY = 50
CHECKPOINT_BYTES_A_WEIGHT = 16
CHECKPOINT_BYTES_PER_S = (1.0e9, 0.4e9)

CPU_PROVISION_S = (1.5, 4.0)
CPU_SETUP_S = (3.6, 9.0)
CPU_UPLOAD_S = (0.6, 2.5)
"""A local run: process start, imports and loading, saving and checking. Measured over four runs of
the tiny model: 5.3 to 5.9 s besides training, whatever was trained."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a job and its seconds; `billed` says whether they cost anything."""

    name: PhaseName
    seconds: Spread
    billed: bool = True


def phases_before(
    model: BaseModelEntry, gpu: GpuType, method: str, tokens: float
) -> tuple[Phase, ...]:
    """Everything up to the first step; `tokens` are those of all pairs, before merging."""
    tokenise = Phase("tokenise", _at(tokens, TOKENS_PER_S))
    if gpu.is_cpu:
        return (
            Phase("provision", _between(CPU_PROVISION_S), billed=False),
            Phase("load_model", _between(CPU_SETUP_S)),
            tokenise,
        )
    loading = _at(weight_bytes(model, method), LOAD_BYTES_PER_S)
    setup = _between(SETUP_S)
    return (
        Phase("provision", _between(PROVISION_S), billed=False),
        Phase("image", _between(IMAGE_S)),
        Phase("download_model", _at(2.0 * model.parameters, DOWNLOAD_BYTES_PER_S)),
        Phase("load_model", loading.plus(setup)),
        tokenise,
    )


def saving(model: BaseModelEntry, gpu: GpuType, rank: int, steps: int) -> Phase:
    """Checkpoints on the way, then the adapter, its checks and its upload."""
    if gpu.is_cpu:
        return Phase("save", _between(CPU_UPLOAD_S))
    written = CHECKPOINT_BYTES_A_WEIGHT * adapter_parameters(model, rank)
    checkpoints = _at(written * (1 + steps // CHECKPOINT_EVERY), CHECKPOINT_BYTES_PER_S)
    last = _between(UPLOAD_S)
    return Phase("save", checkpoints.plus(last))


def _between(prior: tuple[float, float]) -> Spread:
    middle, late = prior
    return Spread(middle * middle / late, middle, late)


def _at(amount: float, rates: tuple[float, float]) -> Spread:
    usual, slow = rates
    return _between((amount / usual, amount / slow))
