"""GPU types as users name them, the instances that have them, and what those bill.

SageMaker rents whole instances: two A100 are one instance with eight, and eight are billed. The
prices are data with a date; catalog/gpu_instances.json holds the command that refreshes
them from the AWS Price List (on-demand training prices of one region).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict

from brightrun.core.errors import InvalidInputError, UntrainableGpuError


@dataclass(frozen=True, slots=True)
class GpuConfig:
    """Accelerators as a user asks for them: a type of the registry and how many, 1-8."""

    type: str
    count: int


@dataclass(frozen=True, slots=True)
class Billing:
    """The price that was agreed when the job was made: a snapshot that later prices do not touch.

    `usd_per_hour` is for all instances together; `instances` of `instance_type` are billed, with
    all their GPUs.
    """

    instance_type: str
    instances: int
    billed_gpus: int
    usd_per_hour: float
    price_date: str


MOST_GPUS = 8


class Instance(BaseModel):
    """An instance type of SageMaker training; the price is US dollars an hour, on demand."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    gpus: int
    usd_per_hour: float
    price_source: str


class GpuType(BaseModel):
    """An accelerator: memory in GiB, dense bf16 peak (V100: fp16) in TFLOP/s of its data sheet.

    `efficiency` is the share of that peak which a packed run reaches at 4,096-wide layers,
    `eager_efficiency` that of unfused code without packing; `seconds_per_layer` is the least
    time a micro-batch spends in one layer, whatever its size. These three were fitted on
    17 published figures (tests/unit/domain/throughput_anchors.py lists them with their sources);
    the CPU's, peak included, on four runs of the tiny model over the product's 44 pairs, which
    reached 26 to 30 GFLOP/s on two cores.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    aliases: tuple[str, ...]
    memory_gib: float
    peak_tflops: float
    efficiency: float
    eager_efficiency: float
    seconds_per_layer: float
    instances: tuple[Instance, ...]
    not_trainable: str | None = None
    is_cpu: bool = False

    @property
    def trainable(self) -> bool:
        """False where a job can be estimated but not trained."""
        return self.not_trainable is None

    @property
    def most(self) -> int:
        """How many can be asked for."""
        return 1 if self.is_cpu else MOST_GPUS


@cache
def _document() -> tuple[str, str, tuple[GpuType, ...]]:
    text = (resources.files("brightrun") / "catalog/gpu_instances.json").read_text("utf-8")
    document = json.loads(text)
    types = tuple(GpuType.model_validate(entry) for entry in document["gpu_types"])
    return document["as_of"], document["region"], types


def gpu_types() -> tuple[GpuType, ...]:
    """Every type of the registry, in its order."""
    return _document()[2]


def price_date() -> str:
    """The day on which the prices were looked up."""
    return _document()[0]


def price_region() -> str:
    """The AWS region that the prices are for."""
    return _document()[1]


def gpu_type(name: str) -> GpuType:
    """Find a type by its name or another name it has; raises InvalidInputError naming them all."""
    for known in gpu_types():
        if name in {known.key, *known.aliases}:
            return known
    message = f"'{name}' is not known; use one of {', '.join(t.key for t in gpu_types())}."
    raise InvalidInputError(
        f"gpu_config.type: {message}", details=[{"field": "gpu_config.type", "message": message}]
    )


def trainable_gpu_type(name: str) -> GpuType:
    """Find a type that a job can train on; raises UntrainableGpuError that says why it cannot."""
    found = gpu_type(name)
    if found.not_trainable is not None:
        raise UntrainableGpuError(found.key, found.not_trainable)
    return found


def billings(name: str, count: int) -> tuple[Billing, ...]:
    """Every way to rent `count` GPUs of a type, cheapest first, at equal price fewer instances.

    Raises InvalidInputError for an unknown type, and for a count outside 1-8 (a CPU: 1).
    """
    found = gpu_type(name)
    if not 1 <= count <= found.most:
        message = f"{count} is outside of 1 to {found.most} for {found.key}."
        raise InvalidInputError(
            f"gpu_config.count: {message}",
            details=[{"field": "gpu_config.count", "message": message}],
        )
    ways = [_rented(instance, count) for instance in found.instances]
    return tuple(sorted(ways, key=lambda way: (way.usd_per_hour, way.instances)))


def billing(name: str, count: int) -> Billing:
    """What renting `count` GPUs of a type bills, by the cheapest way; raises InvalidInputError."""
    return billings(name, count)[0]


def _rented(instance: Instance, count: int) -> Billing:
    instances = -(-count // instance.gpus)
    return Billing(
        instance_type=instance.type,
        instances=instances,
        billed_gpus=instances * instance.gpus,
        usd_per_hour=round(instances * instance.usd_per_hour, 4),
        price_date=price_date(),
    )
