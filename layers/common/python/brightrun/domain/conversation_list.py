"""Which conversations a list holds, in what order, and what they come to in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from brightrun.domain.conversation_record import ReviewStatus

SortBy = Literal["created_at", "quality_score", "turn_count", "updated_at"]
SortDirection = Literal["asc", "desc"]

MOST_SORTED = 10_000
"""Conversations that are read to sort, count or change them: seconds of the 29 that a request has;
in the order of their creation a list goes on by cursor, however long it is."""


@dataclass(frozen=True, slots=True)
class ConversationDigest:
    """As much of a conversation as it takes to sort, count or change many of them."""

    conversation_id: str
    conversation_name: str
    status: ReviewStatus
    tier: str
    enrichment_status: str
    turn_count: int
    simulated: bool
    created_at: str
    updated_at: str
    quality_score: float | None = None


@dataclass(frozen=True, slots=True)
class ConversationFilter:
    """What a conversation must be to stand in a list.

    `equal` holds attributes by name; a bound on the quality leaves out what has no score; `search`
    is looked for in the name, whatever its case.
    """

    equal: Mapping[str, str] = field(default_factory=dict)
    quality_min: float | None = None
    quality_max: float | None = None
    search: str | None = None

    def admits_name(self, name: str) -> bool:
        """Whether the name holds what is searched for."""
        return self.search is None or self.search.casefold() in name.casefold()

    def admits_quality(self, score: float | None) -> bool:
        """Whether the score is within the bounds."""
        if self.quality_min is None and self.quality_max is None:
            return True
        return (
            score is not None
            and (self.quality_min is None or score >= self.quality_min)
            and (self.quality_max is None or score <= self.quality_max)
        )


def in_order(
    digests: Iterable[ConversationDigest], sort_by: SortBy, direction: SortDirection
) -> list[ConversationDigest]:
    """Sort; what has no score stands last either way, and the age decides between equals."""
    falling = direction == "desc"
    aged = sorted(digests, key=lambda one: (one.created_at, one.conversation_id), reverse=falling)
    valued = [one for one in aged if getattr(one, sort_by) is not None]
    unvalued = [one for one in aged if getattr(one, sort_by) is None]
    return sorted(valued, key=lambda one: getattr(one, sort_by), reverse=falling) + unvalued


class ConversationStatistics:
    """Sums over conversations; the average quality is of those that have a score."""

    def __init__(self, digests: Iterable[ConversationDigest]) -> None:
        self.total = 0
        self.simulated = 0
        self.by_status: Counter[str] = Counter()
        self.by_tier: Counter[str] = Counter()
        self.by_enrichment: Counter[str] = Counter()
        self.scored = 0
        self._score_sum = 0.0
        for digest in digests:
            self._add(digest)

    @property
    def average_quality(self) -> float | None:
        """The mean score to two decimals; None when nothing is scored."""
        return round(self._score_sum / self.scored, 2) if self.scored else None

    def _add(self, digest: ConversationDigest) -> None:
        self.total += 1
        self.simulated += digest.simulated
        self.by_status[digest.status] += 1
        self.by_tier[digest.tier] += 1
        self.by_enrichment[digest.enrichment_status] += 1
        if digest.quality_score is not None:
            self.scored += 1
            self._score_sum += digest.quality_score
