"""Finding conversations with the same text."""

from __future__ import annotations

from brightrun.training_files.build_training_file import Duplicate, find_duplicates

TURNS = [f"This is turn number {number} of the conversation." for number in range(8)]


def other(*kept: int) -> list[str]:
    """The turns, of which only some are kept and the others replaced."""
    return [
        turn if at in kept else f"Something else altogether, at {at}."
        for at, turn in enumerate(TURNS)
    ]


def test_the_same_words_are_an_exact_duplicate_whatever_their_case_and_punctuation() -> None:
    shouted = [turn.upper().replace(".", " !!") for turn in TURNS]
    assert find_duplicates({"a": TURNS, "b": shouted}) == [Duplicate("exact", "b", "a", 1.0)]


def test_seven_turns_of_eight_in_common_are_a_near_duplicate() -> None:
    assert find_duplicates({"a": TURNS, "b": other(*range(7))}) == [
        Duplicate("near", "b", "a", 0.88)
    ]


def test_six_turns_of_eight_in_common_are_not() -> None:
    assert find_duplicates({"a": TURNS, "b": other(*range(6))}) == []


def test_the_beginning_of_a_conversation_is_a_near_duplicate_of_it() -> None:
    assert find_duplicates({"a": TURNS, "b": TURNS[:4]}) == [Duplicate("near", "b", "a", 1.0)]


def test_short_phrases_are_no_duplicates() -> None:
    assert find_duplicates({"a": ["Thank you!", "Yes."], "b": ["Yes.", "Thank you!"]}) == []


def test_conversations_without_words_are_no_duplicates_of_each_other() -> None:
    assert find_duplicates({"a": ["..."], "b": ["???"]}) == []


def test_present_conversations_are_compared_but_not_reported() -> None:
    present = {"old": TURNS, "twin of old": TURNS}
    assert [one.same_as for one in find_duplicates({"new": TURNS}, present)] == [
        "old",
        "twin of old",
    ]
    assert find_duplicates({}, present) == []


def test_each_pair_is_reported_once() -> None:
    found = find_duplicates({"a": TURNS, "b": TURNS, "c": TURNS})
    assert [(one.conversation_id, one.same_as) for one in found] == [
        ("b", "a"),
        ("c", "a"),
        ("c", "b"),
    ]
