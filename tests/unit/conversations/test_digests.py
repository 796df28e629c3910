"""Digests in memory: changes in any order, filters, sorts and positions."""

from __future__ import annotations

import random
from typing import Any, get_args

import pytest

from brightrun.conversations import digests as module
from brightrun.conversations.digests import (
    Change,
    ConversationDigest,
    ConversationFilter,
    ListPosition,
    OwnerDigests,
    SortBy,
    SortDirection,
    Tombstone,
    coverage,
)
from tests.fakes.conversations import a_digest, a_record

ORDERS = [(by, way) for by in get_args(SortBy) for way in get_args(SortDirection)]


def digest(conversation_id: str = "c-1", **changes: Any) -> ConversationDigest:
    return a_digest(a_record(conversation_id, **changes))


def many(count: int, seed: int = 7) -> list[ConversationDigest]:
    """Digests whose values repeat, so that ties are broken, and some without a score."""
    draw = random.Random(seed)  # noqa: S311 - values to sort
    return [
        digest(
            f"c-{number:03}",
            quality_score=draw.choice([None, 1.0, 2.5, 4.0]),
            turn_count=draw.randint(2, 5),
            created_at=f"2026-11-0{draw.randint(1, 3)}T00:00:00.000Z",
            updated_at=f"2026-11-0{draw.randint(4, 6)}T00:00:00.000Z",
            version=draw.randint(1, 3),
        )
        for number in range(count)
    ]


def test_changes_in_any_order_and_number_come_to_the_same() -> None:
    first = digest(version=1)
    approved = digest(version=2, status="approved")
    gone = Tombstone("c-1", first.created_at, 3)
    again = digest(created_at="2027-01-01T00:00:00.000Z", version=1)
    changes: list[Change] = [first, approved, gone, again]
    draw = random.Random(1)  # noqa: S311 - orders to try
    for _ in range(50):
        known = OwnerDigests()
        for change in draw.choices(changes, k=8) + draw.sample(changes, k=4):
            known.apply([change])
        assert list(known.all()) == [again]
    known = OwnerDigests()
    known.apply([gone, approved, first])
    assert list(known.all()) == []


def test_only_what_was_new_is_counted() -> None:
    known = OwnerDigests()
    assert known.apply([digest(), digest("c-2")]) == 2
    assert known.apply([digest(), digest("c-2", version=2)]) == 1


@pytest.mark.parametrize(("sort_by", "direction"), ORDERS)
def test_an_order_that_is_kept_up_is_the_one_made_anew(
    sort_by: SortBy, direction: SortDirection
) -> None:
    known = OwnerDigests(many(100))
    known.ordered(sort_by, direction)
    known.apply([one._replace(version=9) for one in many(150, seed=8)[50:]])
    known.apply([Tombstone(f"c-{number:03}", "9", 1) for number in range(0, 150, 7)])
    anew = OwnerDigests(known.all())
    assert len(known) == 128
    assert known.ordered(sort_by, direction) == anew.ordered(sort_by, direction)
    values = [getattr(one, sort_by) for one in anew.ordered(sort_by, direction)]
    present = [one for one in values if one is not None]
    assert present == sorted(present, reverse=direction == "desc")
    assert values[len(present) :] == [None] * (len(values) - len(present))


@pytest.mark.parametrize(("sort_by", "direction"), ORDERS)
def test_a_position_goes_on_after_the_conversation_it_was_taken_at(
    sort_by: SortBy, direction: SortDirection
) -> None:
    ordered = OwnerDigests(many(60)).ordered(sort_by, direction)
    for index, one in enumerate(ordered):
        position = ListPosition.of(one, sort_by)
        assert position.index_after(ordered, direction) == index + 1
        without = [*ordered[:index], *ordered[index + 1 :]]
        assert position.index_after(without, direction) == index


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (ConversationFilter(quality_min=3.0), {"good", "fair"}),
        (ConversationFilter(quality_max=3.5), {"fair", "poor"}),
        (ConversationFilter(quality_min=3.0, quality_max=3.0), {"fair"}),
        (ConversationFilter(search="CHEN"), {"good", "unscored"}),
        (ConversationFilter(search="chen  MARCUS"), {"good", "unscored"}),
        (ConversationFilter(search="ira fear"), {"poor"}),
        (ConversationFilter(search="roth_ira"), {"good", "fair", "poor", "unscored"}),
        (ConversationFilter(search="avoider to_confidence"), {"poor"}),
        (ConversationFilter(search="nobody"), set()),
        (ConversationFilter({"tier": "scenario"}, quality_min=1, search="ana"), {"poor"}),
        (ConversationFilter({"persona_id": "persona-1"}), {"good", "fair", "poor", "unscored"}),
    ],
)
def test_conversations_are_found_by_quality_and_by_words(
    where: ConversationFilter, expected: set[str]
) -> None:
    found = [
        digest("good", quality_score=4.5, conversation_name="Marcus Chen"),
        digest("fair", quality_score=3.0, conversation_name="Ana"),
        digest(
            "poor",
            quality_score=1.5,
            conversation_name="Ana",
            tier="scenario",
            emotional_arc_key="fear_to_confidence",
        ),
        digest("unscored", conversation_name="marcus chen"),
    ]
    assert {one.conversation_id for one in where.select(found)} == expected


def test_coverage_counts_every_combination_by_status_the_most_frequent_first() -> None:
    counted = coverage(
        [
            digest("a", persona_key="rare"),
            digest("b"),
            digest("c", status="approved"),
            digest("d", status="approved"),
        ]
    )
    assert (counted.total, counted.omitted) == (4, 0)
    often, rare = counted.combinations
    assert (often.total, often.by_status) == (3, {"pending_review": 1, "approved": 2})
    assert (rare.persona_key, rare.total) == ("rare", 1)


def test_coverage_leaves_out_the_rarest_of_very_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_COMBINATIONS", 2)
    counted = coverage([digest(f"c-{n}", persona_key=f"p-{n % 3}") for n in range(5)])
    assert [one.total for one in counted.combinations] == [2, 2]
    assert (counted.total, counted.omitted) == (5, 1)
