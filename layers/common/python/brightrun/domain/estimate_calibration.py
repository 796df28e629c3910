"""What finished jobs teach the estimate: a factor and a spread for each kind of run.

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
from typing import Literal

from brightrun.domain.base_models import BaseModelEntry
from brightrun.domain.spread import Spread

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

    factor: Spread
    jobs: int


@dataclass(frozen=True)
class Calibration:
    """The factors in use, by part and bucket; a kind without jobs has the prior."""

    factors: Mapping[tuple[Part, str], Factor] = field(default_factory=dict)

    def of(self, part: Part, bucket: str) -> Factor:
        """The factor of a kind of run."""
        prior = Factor(Spread.around(1.0, PRIOR_DEVIATION[part]), 0)
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
    return Factor(Spread.around(math.exp(mean), max(LEAST_DEVIATION, deviation)), len(samples))


def _without_outliers(part: Part, ratios: Sequence[float]) -> list[float]:
    """Pull what lies far from the median to a distance that ordinary runs have."""
    middle = statistics.median(ratios)
    away = statistics.median(abs(ratio - middle) for ratio in ratios) * 1.4826
    # Few jobs cannot say what is far: until then the prior does.
    allowed = OUTLIER_DEVIATIONS * max(
        away, PRIOR_DEVIATION[part] if len(ratios) < 5 else LEAST_DEVIATION
    )
    return [min(max(ratio, middle - allowed), middle + allowed) for ratio in ratios]
