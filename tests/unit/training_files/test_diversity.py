"""Figures that tell varied conversations from repeated ones."""

from __future__ import annotations

import random

from brightrun.training_files.diversity import evenly_spaced, measure
from tests.unit.training_files.test_duplicates import TURNS, other

WORDS = [f"word{number}" for number in range(3000)]


def varied(count: int) -> dict[str, list[str]]:
    """Conversations of random words."""
    rng = random.Random(7)  # noqa: S311 - texts, no secret
    return {
        f"c{number}": [" ".join(rng.choices(WORDS, k=40)) for _ in range(4)]
        for number in range(count)
    }


def test_repetition_lowers_distinct_words_and_raises_the_rest() -> None:
    plain = varied(20)
    texts = list(plain.values())
    repeated = measure({f"r{at}": texts[at % 4] for at in range(20)})
    fresh = measure(plain)
    assert fresh.distinct_2 is not None and repeated.distinct_2 is not None
    assert fresh.compression_ratio is not None and repeated.compression_ratio is not None
    assert repeated.distinct_2 < fresh.distinct_2 / 3
    assert repeated.compression_ratio > 1.5 * fresh.compression_ratio
    assert (fresh.repeated_phrases, repeated.repeated_phrases) == (0, 0.8)
    assert (len(fresh.duplicates), len(repeated.duplicates)) == (0, 16)


def test_phrases_are_found_where_no_turn_is_the_same() -> None:
    texts = varied(1)["c0"]
    changed = [f"Well, {text} indeed." for text in texts]
    found = measure({"a": texts, "b": changed})
    assert found.duplicates == []
    assert found.repeated_phrases is not None and found.repeated_phrases > 0.4


def test_duplicates_are_those_of_training_files() -> None:
    (found,) = measure({"a": TURNS, "b": other(*range(7))}).duplicates
    assert (found.kind, found.conversation_id, found.same_as) == ("near", "b", "a")


def test_openings_that_recur_are_counted_whatever_their_case() -> None:
    begun = ["I never know where to start with this.", "I NEVER know where to start, honestly."]
    found = measure(
        {str(at): [text] for at, text in enumerate([*begun, "Something else, and new"])}
    )
    (opening,) = found.repeated_openings
    assert (opening.opening, opening.conversations) == ("i never know where to start", 2)


def test_nothing_has_no_figures() -> None:
    found = measure({})
    assert (found.conversations, found.distinct_1, found.compression_ratio) == (0, None, None)
    assert found.repeated_phrases is None


def test_a_sample_is_spread_over_the_whole_and_always_the_same() -> None:
    ids = [str(number) for number in range(1000)]
    sample = evenly_spaced(ids, 10)
    assert sample == [str(number) for number in range(0, 1000, 100)]
    assert evenly_spaced(ids[:7], 10) == ids[:7]
