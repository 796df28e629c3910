"""What lists of conversations are filtered, sorted and counted by, held in memory."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import inf
from operator import attrgetter
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

SortBy = Literal["created_at", "quality_score", "turn_count", "updated_at"]
SortDirection = Literal["asc", "desc"]
_SORTED_ANEW = 1000
"""More changes than this at once are sorted in with all others, instead of one by one."""


class ConversationDigest(NamedTuple):
    """The fields of a conversation's row that lists need; the index `by_updated_at` holds them."""

    conversation_id: str
    conversation_name: str
    batch_job_id: str
    persona_id: str
    persona_key: str
    emotional_arc_id: str
    emotional_arc_key: str
    training_topic_id: str
    training_topic_key: str
    tier: str
    turn_count: int
    simulated: bool
    cost_micro_usd: int
    created_at: str
    updated_at: str
    status: str = "pending_review"
    enrichment_status: str = "not_started"
    flags: tuple[str, ...] = ()
    quality_score: float | None = None
    version: int = 1


class Tombstone(NamedTuple):
    """What is left of a deleted conversation: `version` is one above that of the deleted row."""

    conversation_id: str
    created_at: str
    version: int


Change = ConversationDigest | Tombstone
_state = attrgetter("created_at", "version")
"""Orders the states of one id: an id that is imported again after its deletion begins anew."""


class Listed(Protocol):
    """What a filter reads of a digest or a row."""

    @property
    def conversation_name(self) -> str: ...  # noqa: D102
    @property
    def persona_key(self) -> str: ...  # noqa: D102
    @property
    def emotional_arc_key(self) -> str: ...  # noqa: D102
    @property
    def training_topic_key(self) -> str: ...  # noqa: D102
    @property
    def quality_score(self) -> float | None: ...  # noqa: D102


L = TypeVar("L", bound=Listed)
_TITLE = attrgetter("conversation_name", "persona_key", "emotional_arc_key", "training_topic_key")


@dataclass(frozen=True, slots=True)
class ConversationFilter:
    """Selects conversations.

    `equal` holds attributes by name; a bound of the quality excludes conversations without a score.
    Each word of `search` must be part of the name or of the keys of persona, arc or topic, in any
    case; an underscore of a key is a space, too.
    """

    equal: Mapping[str, str] = field(default_factory=dict)
    quality_min: float | None = None
    quality_max: float | None = None
    search: str | None = None

    def select(self, found: Sequence[L]) -> list[L]:
        """Those that match, in their order."""
        for name, value in self.equal.items():
            of = attrgetter(name)
            found = [one for one in found if of(one) == value]
        if self.quality_min is not None or self.quality_max is not None:
            low = -inf if self.quality_min is None else self.quality_min
            high = inf if self.quality_max is None else self.quality_max
            found = [
                one
                for one in found
                if one.quality_score is not None and low <= one.quality_score <= high
            ]
        return self._searched(found) if self.search is not None else list(found)

    def _searched(self, found: Sequence[L]) -> list[L]:
        words = (self.search or "").casefold().split()

        @cache
        def admits(title: tuple[str, ...]) -> bool:
            text = "\n".join(title).casefold()
            text = f"{text}\n{text.replace('_', ' ')}"
            return all(word in text for word in words)

        return [one for one in found if admits(_TITLE(one))]


class _Order:
    """The ids of all conversations in the order of a field: ties by age, without a value last."""

    def __init__(self, sort_by: SortBy, digests: Iterable[ConversationDigest]) -> None:
        self._value = attrgetter(sort_by)
        self._present: list[tuple[Any, ...]] = []
        self._missing: list[tuple[Any, ...]] = []
        for digest in digests:
            self._list(digest).append(self._entry(digest))
        self._present.sort()
        self._missing.sort()

    def add(self, digest: ConversationDigest) -> None:
        """Insert a digest."""
        insort(self._list(digest), self._entry(digest))

    def remove(self, digest: ConversationDigest) -> None:
        """Take out a digest that was inserted."""
        entries = self._list(digest)
        del entries[bisect_left(entries, self._entry(digest))]

    def ids(self, direction: SortDirection) -> list[str]:
        """All ids, those without a value last in both directions."""
        step = -1 if direction == "desc" else 1
        return [one[-1] for part in (self._present, self._missing) for one in part[::step]]

    def _list(self, digest: ConversationDigest) -> list[tuple[Any, ...]]:
        return self._missing if self._value(digest) is None else self._present

    def _entry(self, digest: ConversationDigest) -> tuple[Any, ...]:
        return self._value(digest), digest.created_at, digest.conversation_id


class OwnerDigests:
    """The digests of an owner; changes may be applied in any order and any number of times."""

    def __init__(self, digests: Iterable[ConversationDigest] = ()) -> None:
        self._by_id = {one.conversation_id: one for one in digests}
        self._deleted: dict[str, Tombstone] = {}
        self._orders: dict[SortBy, _Order] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def all(self) -> Iterable[ConversationDigest]:
        """Every digest, in no order."""
        return self._by_id.values()

    def ordered(self, sort_by: SortBy, direction: SortDirection) -> list[ConversationDigest]:
        """Every digest in the order of a field, those without a value last."""
        if sort_by not in self._orders:
            self._orders[sort_by] = _Order(sort_by, self.all())
        by_id = self._by_id
        return [by_id[one] for one in self._orders[sort_by].ids(direction)]

    def apply(self, changes: Sequence[Change]) -> int:
        """Apply what is newer than what is held; returns how many that were."""
        if len(changes) > _SORTED_ANEW:
            self._orders.clear()
        return sum(1 for change in changes if self._apply(change))

    def _apply(self, change: Change) -> bool:
        key = change.conversation_id
        held, deleted = self._by_id.get(key), self._deleted.get(key)
        newest = max((_state(one) for one in (held, deleted) if one), default=None)
        if newest is not None and _state(change) <= newest:
            return False
        if held is not None:
            self._take_out(held)
        if isinstance(change, Tombstone):
            self._deleted[key] = change
        else:
            self._by_id[key] = change
            for order in self._orders.values():
                order.add(change)
        return True

    def _take_out(self, held: ConversationDigest) -> None:
        del self._by_id[held.conversation_id]
        for order in self._orders.values():
            order.remove(held)


@dataclass(frozen=True, slots=True)
class ListPosition:
    """Where a page of a sorted list ended: the values of its last conversation."""

    sort_by: SortBy
    value: float | str | None
    created_at: str
    conversation_id: str

    @classmethod
    def of(cls, digest: ConversationDigest, sort_by: SortBy) -> ListPosition:
        """The position of a conversation."""
        value = getattr(digest, sort_by)
        return cls(sort_by, value, digest.created_at, digest.conversation_id)

    def is_valid(self) -> bool:
        """Whether its values can be those of a conversation, since it comes from a caller."""
        is_number = self.sort_by in ("quality_score", "turn_count")
        kinds = (int, float, type(None)) if is_number else (str,)
        return isinstance(self.value, kinds)

    def index_after(self, found: Sequence[ConversationDigest], direction: SortDirection) -> int:
        """The index of the first conversation after this position in a list of the same order."""
        mine: tuple[Any, ...] = (self.value, self.created_at, self.conversation_id)

        def is_after(digest: ConversationDigest) -> bool:
            value = getattr(digest, self.sort_by)
            if (value is None) != (self.value is None):
                return value is None
            theirs: tuple[Any, ...] = (value, digest.created_at, digest.conversation_id)
            first = 1 if value is None else 0
            below: bool = theirs[first:] < mine[first:]
            return theirs != mine and below == (direction == "desc")

        return bisect_left(found, True, key=is_after)


class ConversationStatistics:
    """Totals of conversations; the average quality is that of the `scored` ones."""

    def __init__(self, digests: Iterable[ConversationDigest]) -> None:
        counted = list(digests)
        scores = [one.quality_score for one in counted if one.quality_score is not None]
        self.total = len(counted)
        self.simulated = sum(one.simulated for one in counted)
        self.by_status = _counts(counted, "status")
        self.by_tier = _counts(counted, "tier")
        self.by_enrichment_status = _counts(counted, "enrichment_status")
        self.scored = len(scores)
        self.average_quality_score = round(sum(scores) / len(scores), 2) if scores else None


def _counts(digests: Iterable[ConversationDigest], name: str) -> Counter[str]:
    return Counter(map(attrgetter(name), digests))


MOST_COMBINATIONS = 2000
"""Combinations of one answer, which then has about half a megabyte."""
_COMBINATION = attrgetter("persona_key", "emotional_arc_key", "training_topic_key")


@dataclass(frozen=True, slots=True)
class CombinationCount:
    """How many conversations a combination of persona, arc and topic has, by review status."""

    persona_key: str
    emotional_arc_key: str
    training_topic_key: str
    total: int
    by_status: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Coverage:
    """The combinations that conversations have, the most frequent first.

    `omitted` is the number of combinations beyond MOST_COMBINATIONS.
    """

    total: int
    combinations: Sequence[CombinationCount]
    omitted: int


def coverage(digests: Iterable[ConversationDigest]) -> Coverage:
    """Count conversations by combination and status."""
    by_combination: dict[tuple[str, str, str], Counter[str]] = {}
    for one in digests:
        by_combination.setdefault(_COMBINATION(one), Counter())[one.status] += 1
    counts = [
        CombinationCount(*keys, total=statuses.total(), by_status=statuses)
        for keys, statuses in sorted(by_combination.items())
    ]
    counts.sort(key=attrgetter("total"), reverse=True)
    return Coverage(
        total=sum(one.total for one in counts),
        combinations=counts[:MOST_COMBINATIONS],
        omitted=max(0, len(counts) - MOST_COMBINATIONS),
    )
