"""Costs: of training jobs while they run and when their bill is closed, and the records of all."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from brightrun.catalog.gpu_instances import Billing
from brightrun.core.timestamps import from_iso, iso
from brightrun.training.model import TrainingJob

CostType = Literal["training_compute", "writing", "judging"]


@dataclass(frozen=True, slots=True)
class CostRecord:
    """What a training job cost, or what a batch job spent on one day.

    `amount` is US dollars, exact to a millionth; `billing_period` is the day, in UTC, that it
    belongs to. An ended training job has one stored record, `{recorded_at}~{job_id}`; what batches
    spent is read from their own counters. A `simulated` amount was not paid to anybody.
    """

    owner_id: str
    record_id: str
    job_id: str
    cost_type: CostType
    amount: float
    billing_period: str
    recorded_at: str
    details: dict[str, Any] = field(default_factory=dict)
    simulated: bool = False

    @property
    def micro_usd(self) -> int:
        """The amount in millionths of a US dollar, in which sums are exact."""
        return round(self.amount * 1e6)


DECIMALS = 4
"""Hundredths of a cent, because a run on a CPU costs less than a cent."""


def cost_of(billing: Billing, seconds: float) -> float:
    """US dollars for billed seconds at the agreed price."""
    return round(billing.usd_per_hour * seconds / 3600, DECIMALS)


def cost_so_far(job: TrainingJob, now: datetime) -> float:
    """The cost of a job until now; the final cost once its bill is closed.

    Before SageMaker bills, it is 0. Spot instances are counted at the full price until SageMaker
    reports the billed seconds, so that the final cost is not higher.
    """
    if job.final_cost is not None:
        return job.final_cost
    if job.started_at is None or job.settled:
        return job.current_cost
    return cost_of(job.billing, max(0.0, (now - from_iso(job.started_at)).total_seconds()))


def estimated_completion(job: TrainingJob, now: datetime) -> str | None:
    """When a running job will end at its average speed so far; None while that is unknown."""
    if job.status != "running" or job.started_at is None or job.progress <= 0:
        return None
    started = from_iso(job.started_at)
    return iso(started + (now - started) * (100 / job.progress))


def cost_record(job: TrainingJob, now: datetime) -> CostRecord:
    """The cost record of an ended job, from its `final_cost` and `billed_seconds`."""
    recorded_at = iso(now)
    seconds = job.billed_seconds or 0
    return CostRecord(
        owner_id=job.owner_id,
        record_id=f"{recorded_at}~{job.job_id}",
        job_id=job.job_id,
        cost_type="training_compute",
        amount=job.final_cost or 0.0,
        billing_period=recorded_at[:10],
        recorded_at=recorded_at,
        details={
            "job_name": job.name,
            "status": job.status,
            "gpu_type": job.gpu_config.type,
            "gpu_count": job.gpu_config.count,
            "instance_type": job.billing.instance_type,
            "instances": job.billing.instances,
            "billed_gpus": job.billing.billed_gpus,
            "usd_per_hour": job.billing.usd_per_hour,
            "price_date": job.billing.price_date,
            "billed_seconds": seconds,
            "duration_hours": round(seconds / 3600, DECIMALS),
            "use_spot": job.use_spot,
        },
    )
