"""The quality of a conversation: a score, its tier, and the sentences that explain it."""

from __future__ import annotations

import math
from dataclasses import dataclass

SEED, PRODUCTION, EXPERIMENTAL, REJECTED = "seed_dataset", "production", "experimental", "rejected"


@dataclass(frozen=True, slots=True)
class Quality:
    """A score with one decimal, its tier, a sentence for each check, and v1's four criteria.

    A criterion is None if no check measures it.
    """

    score: float
    tier: str
    reasons: list[str]
    sub_scores: dict[str, float]
    criteria: dict[str, float | None]


def tier_of(score: float | None) -> str:
    """Return v1's tier of a score; unscored is experimental."""
    if not score:
        return EXPERIMENTAL
    if score >= 4.5:
        return SEED
    if score >= 3.5:
        return PRODUCTION
    return EXPERIMENTAL if score >= 2.5 else REJECTED


def whole_stars(score: float) -> int:
    """Round to an integer, halves up, as v1's JavaScript does."""
    return math.floor(score + 0.5)
