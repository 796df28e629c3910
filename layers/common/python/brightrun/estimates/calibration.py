"""What finished jobs teach the estimate, and how wrong the estimates of those jobs were.

A job leaves log(measured / predicted), the prediction being the uncorrected one, so that a factor
never feeds on itself. The factor of a kind is the weighted mean of those, newer jobs weighing more,
outliers pulled in, and shrunk towards 1 as if PRIOR_JOBS jobs had agreed with the prediction.
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
"""Standard deviations between the middle and the ninetieth percentile of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Quantiles:
    """The tenth, fiftieth and ninetieth percentile of a positive figure."""

    p10: float
    p50: float
    p90: float

    @classmethod
    def around(cls, middle: float, deviation: float) -> Quantiles:
        """A figure whose logarithm has this standard deviation."""
        factor = math.exp(Z90 * deviation)
        return cls(middle / factor, middle, middle * factor)

    def times(self, factor: float) -> Quantiles:
        """The product with a known number."""
        return Quantiles(self.p10 * factor, self.p50 * factor, self.p90 * factor)

    def plus(self, other: Quantiles) -> Quantiles:
        """The sum with a figure that is late when this one is."""
        return Quantiles(self.p10 + other.p10, self.p50 + other.p50, self.p90 + other.p90)

    def as_dict(self, digits: int) -> dict[str, float]:
        """The three, rounded."""
        named = {"p10": self.p10, "p50": self.p50, "p90": self.p90}
        return {name: round(value, digits) for name, value in named.items()}


def total(parts: Iterable[Quantiles]) -> Quantiles:
    """The sum of independent figures: the squares of their distances from the middle add."""
    known = list(parts)
    middle = sum(one.p50 for one in known)
    below = math.sqrt(sum((one.p50 - one.p10) ** 2 for one in known))
    above = math.sqrt(sum((one.p90 - one.p50) ** 2 for one in known))
    return Quantiles(max(0.0, middle - below), middle, middle + above)


Part = Literal["train", "overhead"]
PRIOR_JOBS = 2.0
PRIOR_DEVIATION: Mapping[Part, float] = {"train": 0.25, "overhead": 0.3}
"""Of the logarithm, before any job: 28 and 36 % either way. The published figures scatter by 10 %
around the fitted ones; other software on other machines is assumed to scatter more."""
HALF_LIFE_JOBS = 20.0
OUTLIER_DEVIATIONS = 2.5
LEAST_DEVIATION = 0.03
"""A clock and a shared machine are not more exact than this."""
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
        """How far off the prediction was; 0 is exact, positive is slower."""
        return math.log(self.measured_s / self.predicted_s)


@dataclass(frozen=True, slots=True)
class Factor:
    """What to multiply a prediction by, how sure that is, and how many jobs say so."""

    factor: Quantiles
    jobs: int


@dataclass(frozen=True)
class Calibration:
    """The factors in use, by part and bucket; a kind without jobs has the prior."""

    factors: Mapping[tuple[Part, str], Factor] = field(default_factory=dict)

    def of(self, part: Part, bucket: str) -> Factor:
        """The factor of a kind of run."""
        prior = Factor(Quantiles.around(1.0, PRIOR_DEVIATION[part]), 0)
        return self.factors.get((part, bucket), prior)


def bucket_of(gpu_type: str, model: BaseModelEntry, recompute: bool, quantized: bool) -> str:
    """The kind of run whose speed is alike: GPU type, size of the model, and how it computes."""
    size = next(name for name, limit in SIZES if model.parameters < limit)
    how = ("recompute" if recompute else "keep") + ("-4bit" if quantized else "")
    return f"{gpu_type}/{size}/{how}"


def calibrate(samples: Iterable[Sample]) -> Calibration:
    """Learn from samples, newest first."""
    kinds: dict[tuple[Part, str], list[Sample]] = defaultdict(list)
    for sample in samples:
        kinds[sample.part, sample.bucket].append(sample)
    return Calibration({kind: _learned(kind[0], found) for kind, found in kinds.items()})


def _learned(part: Part, samples: Sequence[Sample]) -> Factor:
    ratios = _without_outliers(part, [sample.log_ratio for sample in samples])
    weights = [0.5 ** (age / HALF_LIFE_JOBS) for age in range(len(ratios))]
    known = sum(weights)
    mean = sum(w * r for w, r in zip(weights, ratios, strict=True)) / (known + PRIOR_JOBS)
    squares = sum(w * (r - mean) ** 2 for w, r in zip(weights, ratios, strict=True))
    prior = PRIOR_JOBS * PRIOR_DEVIATION[part] ** 2
    deviation = math.sqrt((squares + prior) / (known + PRIOR_JOBS))
    # The next job scatters around a mean that is itself not known exactly.
    deviation *= math.sqrt(1 + 1 / (known + PRIOR_JOBS))
    return Factor(Quantiles.around(math.exp(mean), max(LEAST_DEVIATION, deviation)), len(samples))


def _without_outliers(part: Part, ratios: Sequence[float]) -> list[float]:
    """Pull what lies far from the median to a distance that ordinary runs have."""
    middle = statistics.median(ratios)
    away = statistics.median(abs(ratio - middle) for ratio in ratios) * 1.4826
    # Few jobs cannot say what is far: until then the prior does.
    allowed = OUTLIER_DEVIATIONS * max(
        away, PRIOR_DEVIATION[part] if len(ratios) < 5 else LEAST_DEVIATION
    )
    return [min(max(ratio, middle - allowed), middle + allowed) for ratio in ratios]


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
