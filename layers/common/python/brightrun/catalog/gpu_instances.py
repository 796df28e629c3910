"""GPU types as users name them, the instances that have them, and their prices.

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

MOST_GPUS = 8
"""GPUs of one job."""


@dataclass(frozen=True, slots=True)
class GpuConfig:
    """The GPUs that a user requests: a type of the catalog, and how many (1-8)."""

    type: str
    count: int


@dataclass(frozen=True, slots=True)
class Billing:
    """The price agreed when a job was created; later price changes do not affect it.

    `instances` of `instance_type` are billed with all their GPUs; `usd_per_hour` is for all
    instances together.
    """

    instance_type: str
    instances: int
    billed_gpus: int
    usd_per_hour: float
    price_date: str


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota of SageMaker by its name, as AWS's messages and console have it, and its code."""

    name: str
    code: str


class Instance(BaseModel):
    """An instance type for SageMaker training, with its on-demand price in US dollars per hour.

    The codes are those by which Service Quotas knows how many an account may run at once, on demand
    and as spot; None where the code is not known.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    type: str
    gpus: int
    usd_per_hour: float
    price_source: str
    quota_code: str | None = None
    spot_quota_code: str | None = None


class GpuType(BaseModel):
    """An accelerator: its memory in GiB and that memory's speed, its dense bf16 peak (V100: fp16)
    in TFLOP/s; both speeds are those of its data sheet. The memory of A10G, L4 and L40S is what
    torch finds: their error correction takes a part of what the data sheet names.

    `efficiency` is the share of that peak that Bright Run's trainer reaches at 4,096-wide layers.
    It runs eager PyTorch with a fused attention kernel, and so do the publications that the figure
    was fitted on; trainers that compile or fuse the layers reach about an eighth more.
    `seconds_per_layer` is the minimum time of a micro-batch in one layer, whatever its size.
    tests/unit/estimates/throughput_anchors.py lists the publications; for A10G, L4 and L40S there
    are none, and their efficiency is carried over from A100 and H100, less for the L4, whose 72 W
    do not sustain its peak. The CPU's figures, peak
    included, were fitted on four runs of the tiny model over the product's 44 pairs, which reached
    26 to 30 GFLOP/s on two cores.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    key: str
    aliases: tuple[str, ...]
    memory_gib: float
    memory_gb_per_s: float
    peak_tflops: float
    efficiency: float
    seconds_per_layer: float
    instances: tuple[Instance, ...]
    not_trainable: str | None = None
    is_cpu: bool = False

    @property
    def trainable(self) -> bool:
        """False if a job on it can be estimated but not trained."""
        return self.not_trainable is None

    @property
    def counts(self) -> range:
        """The numbers of GPUs that can be requested, from 1."""
        return range(1, (1 if self.is_cpu else MOST_GPUS) + 1)


@cache
def _document() -> tuple[str, str, tuple[GpuType, ...]]:
    text = (resources.files("brightrun") / "catalog/gpu_instances.json").read_text("utf-8")
    document = json.loads(text)
    types = tuple(GpuType.model_validate(entry) for entry in document["gpu_types"])
    return document["as_of"], document["region"], types


def gpu_types() -> tuple[GpuType, ...]:
    """Every type of the catalog, in its order."""
    return _document()[2]


def price_date() -> str:
    """The day on which the prices were looked up."""
    return _document()[0]


def price_region() -> str:
    """The AWS region that the prices are for."""
    return _document()[1]


def gpu_type(name: str) -> GpuType:
    """Find a type by its key or an alias; raises InvalidInputError that lists the keys."""
    for known in gpu_types():
        if name in {known.key, *known.aliases}:
            return known
    message = f"'{name}' is not known; use one of {', '.join(t.key for t in gpu_types())}."
    raise InvalidInputError.of_field("gpu_config.type", message)


def trainable_gpu_type(name: str) -> GpuType:
    """Find a type that a job can train on; raises UntrainableGpuError with the reason if not."""
    found = gpu_type(name)
    if found.not_trainable is not None:
        raise UntrainableGpuError(found.key, found.not_trainable)
    return found


def billings(name: str, count: int) -> tuple[Billing, ...]:
    """All ways to rent `count` GPUs of a type, cheapest first, then fewest instances.

    Raises InvalidInputError for an unknown type, and for a count outside 1-8 (a CPU: 1).
    """
    found = gpu_type(name)
    if count not in found.counts:
        message = f"{count} is outside of 1 to {found.counts[-1]} for {found.key}."
        raise InvalidInputError.of_field("gpu_config.count", message)
    offers = [_billing(instance, count) for instance in found.instances]
    return tuple(sorted(offers, key=lambda offer: (offer.usd_per_hour, offer.instances)))


def billing(name: str, count: int) -> Billing:
    """The cheapest way to rent `count` GPUs of a type; raises InvalidInputError."""
    return billings(name, count)[0]


def training_quota(instance_type: str, *, spot: bool) -> Quota | None:
    """The quota that a training job on these instances counts against; None if it is not known."""
    instances = (instance for gpu in gpu_types() for instance in gpu.instances)
    for instance in instances:
        code = instance.spot_quota_code if spot else instance.quota_code
        if instance.type == instance_type and code is not None:
            return Quota(f"{instance_type} for {'spot ' * spot}training job usage", code)
    return None


def own_machine() -> Billing:
    """The developer's own machine, which every instance of a local system is: it costs nothing."""
    return Billing("local_cpu", 1, 0, 0.0, price_date())


def _billing(instance: Instance, count: int) -> Billing:
    instances = -(-count // instance.gpus)
    return Billing(
        instance_type=instance.type,
        instances=instances,
        billed_gpus=instances * instance.gpus,
        usd_per_hour=round(instances * instance.usd_per_hour, 4),
        price_date=price_date(),
    )
