"""How good a conversation is to train on, from 1 to 5, by checks that anybody can repeat.

Six sub-scores are weighed; each says in a sentence what it found. Nothing is random and nothing is
asked of a model. Where a check has nothing to go by, such as an arc that nobody declared, it gives
no sub-score and its weight falls to the others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from brightrun.domain import quality_checks as checks
from brightrun.domain import quality_content as content
from brightrun.domain.declared_arc import DeclaredArc
from brightrun.domain.talk import Finding, Talk

WEIGHTS: Mapping[str, float] = {
    "structure": 0.25,
    "length": 0.10,
    "arc": 0.25,
    "repetition": 0.15,
    "specificity": 0.15,
    "safety": 0.10,
}
"""Structure and arc count most: they are what the original's worst defects broke."""

_FAULTS_COUNT_TWICE_BELOW = 3.0
"""A sub-score under this is a defect that no other virtue makes good, so its weight doubles."""

SEED, PRODUCTION, EXPERIMENTAL, REJECTED = "seed_dataset", "production", "experimental", "rejected"


@dataclass(frozen=True, slots=True)
class Quality:
    """A score of one decimal, its tier, a sentence for each check, and the four criteria.

    A criterion is None where no check of ours tells it.
    """

    score: float
    tier: str
    reasons: list[str]
    sub_scores: dict[str, float]
    criteria: dict[str, float | None]


def score_quality(
    talk: Talk, arc: DeclaredArc | None, *, arc_key: str | None, key_concepts: Sequence[str]
) -> Quality:
    """Score a conversation that has passed validation's blockers."""
    found: dict[str, Finding | None] = {
        "structure": checks.structure(talk),
        "length": checks.length(talk),
        "arc": checks.arc_fidelity(talk, arc) if arc else None,
        "repetition": checks.repetition(talk),
        "specificity": content.specificity(talk, key_concepts, arc_key),
        "safety": checks.safety(talk, arc_key),
    }
    told = {name: finding for name, finding in found.items() if finding is not None}
    score = _weighed({name: finding.score for name, finding in told.items()})
    return Quality(
        score=score,
        tier=tier_of(score),
        reasons=[f"{name} {one.score:.1f}: {one.sentence}" for name, one in told.items()],
        sub_scores={name: one.score for name, one in told.items()},
        criteria={
            "empathy_score": content.empathy(talk),
            "clarity_score": content.clarity(talk),
            "appropriateness_score": told["safety"].score,
            "brand_voice_alignment": None,
        },
    )


def tier_of(score: float | None) -> str:
    """Name the tier of a score (part 1.6 of the original's formats); unscored is experimental."""
    if not score:
        return EXPERIMENTAL
    if score >= 4.5:
        return SEED
    if score >= 3.5:
        return PRODUCTION
    return EXPERIMENTAL if score >= 2.5 else REJECTED


def whole_stars(score: float) -> int:
    """Round as the original's JavaScript does: halves go up."""
    return math.floor(score + 0.5)


def _weighed(scores: Mapping[str, float]) -> float:
    weights = {
        name: WEIGHTS[name] * (2 if score < _FAULTS_COUNT_TWICE_BELOW else 1)
        for name, score in scores.items()
    }
    total = sum(weights[name] * score for name, score in scores.items())
    return math.floor(total / sum(weights.values()) * 10 + 0.5) / 10
