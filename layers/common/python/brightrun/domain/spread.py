"""A figure nobody knows exactly: its middle, and what nine runs of ten stay above and below."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

Z90 = 1.2816
"""Standard deviations between the middle and the ninetieth percentile of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The tenth, fiftieth and ninetieth percentile of a positive figure."""

    p10: float
    p50: float
    p90: float

    @classmethod
    def around(cls, middle: float, deviation: float) -> Spread:
        """A figure whose logarithm has this standard deviation."""
        factor = math.exp(Z90 * deviation)
        return cls(middle / factor, middle, middle * factor)

    def times(self, factor: float) -> Spread:
        """The product with a known number."""
        return Spread(self.p10 * factor, self.p50 * factor, self.p90 * factor)

    def plus(self, other: Spread) -> Spread:
        """The sum with a figure that is late when this one is."""
        return Spread(self.p10 + other.p10, self.p50 + other.p50, self.p90 + other.p90)

    def as_dict(self, digits: int) -> dict[str, float]:
        """The three, rounded."""
        named = {"p10": self.p10, "p50": self.p50, "p90": self.p90}
        return {name: round(value, digits) for name, value in named.items()}


def total(parts: Iterable[Spread]) -> Spread:
    """The sum of independent figures: the squares of their distances from the middle add."""
    known = list(parts)
    middle = sum(one.p50 for one in known)
    below = math.sqrt(sum((one.p50 - one.p10) ** 2 for one in known))
    above = math.sqrt(sum((one.p90 - one.p50) ** 2 for one in known))
    return Spread(max(0.0, middle - below), middle, middle + above)
