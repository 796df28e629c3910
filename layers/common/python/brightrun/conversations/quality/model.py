"""The quality of a conversation: a score, its tier, what explains it, and its flags."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

SEED, PRODUCTION, EXPERIMENTAL, REJECTED = "seed_dataset", "production", "experimental", "rejected"

UNKNOWN_DOMAIN = "unknown"
Domain = str
"""What a conversation is about, as far as its safety rules go: a domain pack's key, or unknown."""

Severity = Literal["severe", "major", "review"]
HIGHEST_SCORE: Mapping[Severity, float] = {"severe": 2.4, "major": 3.4, "review": 4.4}
"""The highest score of a flagged conversation: it is rejected, not fit for use, or no seed."""

SEVERITIES: Mapping[str, Severity] = {
    "medical_directive": "severe",
    "legal_directive": "severe",
    "financial_directive": "severe",
    "self_harm_directive": "severe",
    "special_token": "severe",
    "degenerate_repetition": "severe",
    "absurd_length": "severe",
    "cut_text": "severe",
    "guarantee": "major",
    "wrong_language": "major",
    "control_character": "major",
    "bidirectional_override": "major",
    "invisible_characters": "major",
    "crisis_content": "review",
    "escape_artifact": "review",
    "duplicated_turn": "review",
    "ends_on_user_turn": "review",
}
"""Every code of a flag, which is part of the API, with its severity."""


@dataclass(frozen=True, slots=True)
class TurnFlag:
    """What a person must see of a turn before it is trained on; turns are counted from 1."""

    code: str
    turn_number: int
    message: str

    @property
    def severity(self) -> Severity:
        """How far it limits the score."""
        return SEVERITIES[self.code]

    def as_row(self) -> dict[str, Any]:
        """The flag as the conversation's row holds it."""
        return {
            "code": self.code,
            "severity": self.severity,
            "turn_number": self.turn_number,
            "message": self.message,
        }


@dataclass(frozen=True, slots=True)
class Quality:
    """A score with one decimal, its tier, a sentence for each check, and v1's four criteria.

    A criterion is None, and a check has no sub-score, if nothing measures it.
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
