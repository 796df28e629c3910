"""Corrects estimates by finished jobs, and measures how wrong the estimates of those jobs were.

Each job gives log(measured / predicted), with the uncorrected prediction, so that a factor is never
learned from itself. The factor of a bucket is the weighted mean of these: newer jobs weigh more,
outliers are clipped, and it is shrunk towards 1 as if PRIOR_JOBS jobs had matched the prediction.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from brightrun.catalog.base_models import BaseModelEntry
from brightrun.catalog.gpu_instances import GpuConfig, gpu_type

Z90 = 1.2816
"""Standard deviations between the median and the ninetieth percentile of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Quantiles:
    """The tenth, fiftieth and ninetieth percentile of a positive quantity."""

    p10: float
    p50: float
    p90: float

    @classmethod
    def around(cls, median: float, deviation: float) -> Quantiles:
        """A quantity whose logarithm has this standard deviation."""
        factor = math.exp(Z90 * deviation)
        return cls(median / factor, median, median * factor)

    def times(self, factor: float) -> Quantiles:
        """The product with a constant."""
        return Quantiles(self.p10 * factor, self.p50 * factor, self.p90 * factor)

    def plus(self, other: Quantiles) -> Quantiles:
        """The sum with a fully correlated quantity."""
        return Quantiles(self.p10 + other.p10, self.p50 + other.p50, self.p90 + other.p90)

    def as_dict(self, digits: int) -> dict[str, float]:
        """The three percentiles, rounded."""
        named = {"p10": self.p10, "p50": self.p50, "p90": self.p90}
        return {name: round(value, digits) for name, value in named.items()}


def total(parts: Iterable[Quantiles]) -> Quantiles:
    """The sum of independent quantities: squared distances from the median add up."""
    known = list(parts)
    median = sum(one.p50 for one in known)
    below = math.sqrt(sum((one.p50 - one.p10) ** 2 for one in known))
    above = math.sqrt(sum((one.p90 - one.p50) ** 2 for one in known))
    return Quantiles(max(0.0, median - below), median, median + above)


Part = Literal["train", "overhead"]
PRIOR_JOBS = 2.0
PRIOR_DEVIATION: Mapping[Part, float] = {"train": 0.25, "overhead": 0.3}
"""Of the logarithm, before any job: 28 and 36 % either way. The published figures scatter by 10 %
around the fitted rates; other software on other machines is assumed to scatter more."""
HALF_LIFE_JOBS = 20.0
OUTLIER_DEVIATIONS = 2.5
LEAST_DEVIATION = 0.03
"""Clocks and shared machines are no more precise than this."""
SIZES = (
    ("under-0.1B", 1e8), ("0.1B-2B", 2e9), ("2B-5B", 5e9), ("5B-10B", 1e10), ("10B-20B", 2e10),
    ("20B-50B", 5e10), ("over-50B", math.inf),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """One part of a finished job: seconds predicted without correction, and measured."""

    part: Part
    bucket: str
    predicted_s: float
    measured_s: float

    @property
    def log_ratio(self) -> float:
        """Zero for an exact prediction, positive if the job was slower."""
        return math.log(self.measured_s / self.predicted_s)


@dataclass(frozen=True, slots=True)
class Factor:
    """The correction of a prediction, with its uncertainty, and how many jobs it is based on."""

    factor: Quantiles
    jobs: int


@dataclass(frozen=True)
class Calibration:
    """The factors by part and bucket; a bucket without jobs has the prior."""

    factors: Mapping[tuple[Part, str], Factor] = field(default_factory=dict)

    def of(self, part: Part, bucket: str) -> Factor:
        """The factor of a bucket."""
        prior = Factor(Quantiles.around(1.0, PRIOR_DEVIATION[part]), 0)
        return self.factors.get((part, bucket), prior)


def bucket_of(gpu_type: str, model: BaseModelEntry, recompute: bool, quantized: bool) -> str:
    """The bucket of runs of similar speed: GPU type, model size, and how activations are kept."""
    size = next(name for name, limit in SIZES if model.parameters < limit)
    mode = ("recompute" if recompute else "keep") + ("-4bit" if quantized else "")
    return f"{gpu_type}/{size}/{mode}"


def calibrate(samples: Iterable[Sample]) -> Calibration:
    """Learn from samples, newest first."""
    buckets: dict[tuple[Part, str], list[Sample]] = defaultdict(list)
    for sample in samples:
        buckets[sample.part, sample.bucket].append(sample)
    return Calibration({key: _factor(key[0], found) for key, found in buckets.items()})


def _factor(part: Part, samples: Sequence[Sample]) -> Factor:
    ratios = _without_outliers(part, [sample.log_ratio for sample in samples])
    weights = [0.5 ** (age / HALF_LIFE_JOBS) for age in range(len(ratios))]
    weight = sum(weights)
    mean = sum(w * r for w, r in zip(weights, ratios, strict=True)) / (weight + PRIOR_JOBS)
    squares = sum(w * (r - mean) ** 2 for w, r in zip(weights, ratios, strict=True))
    prior = PRIOR_JOBS * PRIOR_DEVIATION[part] ** 2
    deviation = math.sqrt((squares + prior) / (weight + PRIOR_JOBS))
    # The next job scatters around a mean that is itself uncertain.
    deviation *= math.sqrt(1 + 1 / (weight + PRIOR_JOBS))
    return Factor(Quantiles.around(math.exp(mean), max(LEAST_DEVIATION, deviation)), len(samples))


def _without_outliers(part: Part, ratios: Sequence[float]) -> list[float]:
    """Clip ratios to OUTLIER_DEVIATIONS around the median."""
    median = statistics.median(ratios)
    deviation = statistics.median(abs(ratio - median) for ratio in ratios) * 1.4826
    # The deviation of few jobs means little: with less than five, the prior bounds it from below.
    allowed = OUTLIER_DEVIATIONS * max(
        deviation, PRIOR_DEVIATION[part] if len(ratios) < 5 else LEAST_DEVIATION
    )
    return [min(max(ratio, median - allowed), median + allowed) for ratio in ratios]


LEAST_SECONDS = 0.5
"""Bills count whole seconds, so that a shorter overhead cannot be measured."""


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
    """A job that trained all of its steps, the estimate that it was created with, and its bill.

    Seconds and dollars are those that SageMaker billed. v1's are None for a GPU unknown to v1,
    `cost` is None for spot capacity, whose price is not estimated.
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
        """Measured and predicted seconds of training and, if measurable, of the overhead."""
        found = [Sample("train", self.bucket, self.raw_train_s, self.train_s)]
        overhead = self.billed_s - self.train_s
        if overhead >= LEAST_SECONDS and self.raw_overhead_s >= LEAST_SECONDS:
            found.append(Sample("overhead", self.overhead_bucket, self.raw_overhead_s, overhead))
        return found


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Mean absolute percentage errors as shares, and how often p90 was not exceeded."""

    jobs: int
    time_mape_v2: float | None
    time_mape_v1: float | None
    cost_mape_v2: float | None
    cost_mape_v1: float | None
    time_p90_coverage: float | None
    cost_p90_coverage: float | None


def finished_job(job: EstimatedJob) -> FinishedJob | None:
    """Read a job; None if it ended early or has no estimate of profile v2."""
    estimate, results = job.estimate, job.results
    complete = results.get("steps") is not None and results["steps"] == results.get("total_steps")
    measured = float(results.get("train_seconds") or 0)
    if job.status != "completed" or not estimate.get("raw") or not complete:
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
    """Calibrate from jobs, newest first; jobs without usable measurements are skipped."""
    finished = (finished_job(job) for job in jobs)
    return calibrate(sample for one in finished if one for sample in one.samples)


def accuracy(jobs: Sequence[FinishedJob]) -> Accuracy:
    """How wrong the estimates were that these jobs were created with."""
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
    return round(
        statistics.fmean(abs(predicted / measured - 1) for predicted, measured in pairs), 4
    )


def _share(results: Sequence[bool]) -> float | None:
    return round(sum(results) / len(results), 4) if results else None


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
