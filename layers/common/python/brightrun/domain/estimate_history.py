"""What an ended job says about its estimate: the samples that calibrate, and how wrong it was."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from brightrun.domain.estimate_calibration import Calibration, Sample, calibrate
from brightrun.domain.gpu_instances import gpu_type
from brightrun.domain.training_job import GpuConfig

LEAST_SECONDS = 0.5
"""Bills count whole seconds: a shorter rest says nothing."""


class EstimatedJob(Protocol):
    """What an estimate reads of an earlier training job; costs in dollars, durations in seconds."""

    @property
    def status(self) -> str:
        """Only `completed` jobs are measured."""

    @property
    def estimate(self) -> Mapping[str, Any]:
        """The estimate that the job was created with."""

    @property
    def results(self) -> Mapping[str, Any]:
        """What the trainer measured; empty until it has ended."""

    @property
    def billed_seconds(self) -> int | None:
        """What SageMaker billed; None until the bill is closed."""

    @property
    def final_cost(self) -> float | None:
        """The bill; None until it is closed."""

    @property
    def use_spot(self) -> bool:
        """True for spot capacity, whose price is not estimated."""

    @property
    def gpu_config(self) -> GpuConfig:
        """The GPUs that the job ran on."""


@dataclass(frozen=True, slots=True)
class FinishedJob:
    """A job that trained all of its steps, its estimate of the time it was made, and its bill.

    Seconds and dollars are those that SageMaker billed. v1 is None where the original knows no
    such GPU, `cost` is None for spot capacity, whose price nobody estimates.
    """

    bucket: str
    overhead_bucket: str
    raw_train_s: float
    raw_overhead_s: float
    train_s: float
    billed_s: float
    predicted_s: float
    latest_s: float
    v1_s: float | None
    cost: float | None
    predicted_cost: float
    latest_cost: float
    v1_cost: float | None

    @property
    def samples(self) -> list[Sample]:
        """What it teaches."""
        found = [Sample("train", self.bucket, self.raw_train_s, self.train_s)]
        rest = self.billed_s - self.train_s
        if rest >= LEAST_SECONDS and self.raw_overhead_s >= LEAST_SECONDS:
            found.append(Sample("overhead", self.overhead_bucket, self.raw_overhead_s, rest))
        return found


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Mean absolute errors as shares of what was measured, and how often p90 was not exceeded."""

    jobs: int
    time_mape_v2: float | None
    time_mape_v1: float | None
    cost_mape_v2: float | None
    cost_mape_v1: float | None
    time_p90_coverage: float | None
    cost_p90_coverage: float | None


def finished_job(job: EstimatedJob) -> FinishedJob | None:
    """Read a job's row; None for one that ended early or holds no estimate of profile v2."""
    estimate, results = job.estimate, job.results
    whole = results.get("steps") is not None and results["steps"] == results.get("total_steps")
    measured = float(results.get("train_seconds") or 0)
    if job.status != "completed" or estimate.get("profile") != "v2" or not whole:
        return None
    if not measured or not job.billed_seconds or job.billed_seconds < measured:
        return None
    raw = estimate["raw"]
    on_demand = not job.use_spot and bool(job.final_cost)
    return FinishedJob(
        bucket=estimate["calibration"]["bucket"],
        overhead_bucket=gpu_type(job.gpu_config.type).key,
        raw_train_s=float(raw["train_seconds"]),
        raw_overhead_s=float(raw["overhead_seconds"]),
        train_s=measured,
        billed_s=float(job.billed_seconds),
        predicted_s=float(estimate["billed_seconds"]["p50"]),
        latest_s=float(estimate["billed_seconds"]["p90"]),
        v1_s=_number(raw["v1_seconds"]),
        cost=job.final_cost if on_demand else None,
        predicted_cost=float(estimate["cost_usd"]["p50"]),
        latest_cost=float(estimate["cost_usd"]["p90"]),
        v1_cost=_number(raw["v1_cost_usd"]),
    )


def learn(jobs: Iterable[EstimatedJob]) -> Calibration:
    """Calibrate from jobs, newest first; those that say nothing are passed over."""
    finished = (finished_job(job) for job in jobs)
    return calibrate(sample for one in finished if one for sample in one.samples)


def accuracy(jobs: Sequence[FinishedJob]) -> Accuracy:
    """How wrong the estimates were that these jobs were made with."""
    priced = [(one, one.cost) for one in jobs if one.cost]
    return Accuracy(
        jobs=len(jobs),
        time_mape_v2=_mape([(one.predicted_s, one.billed_s) for one in jobs]),
        time_mape_v1=_mape([(one.v1_s, one.billed_s) for one in jobs if one.v1_s]),
        cost_mape_v2=_mape([(one.predicted_cost, cost) for one, cost in priced]),
        cost_mape_v1=_mape([(one.v1_cost, cost) for one, cost in priced if one.v1_cost]),
        time_p90_coverage=_share([one.billed_s <= one.latest_s for one in jobs]),
        cost_p90_coverage=_share([cost <= one.latest_cost for one, cost in priced]),
    )


def _mape(pairs: Sequence[tuple[float, float]]) -> float | None:
    if not pairs:
        return None
    return round(statistics.fmean(abs(guess / real - 1) for guess, real in pairs), 4)


def _share(held: Sequence[bool]) -> float | None:
    return round(sum(held) / len(held), 4) if held else None


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
