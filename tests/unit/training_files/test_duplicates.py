"""Which conversations say the same."""

from __future__ import annotations

from brightrun.training_files.build_training_file import Duplicate, duplicates_among

TALK = [f"This is turn number {number} of the talk." for number in range(8)]


def other(*kept: int) -> list[str]:
    """The talk with every turn said otherwise, except some."""
    return [
        turn if at in kept else f"Something else altogether, at {at}."
        for at, turn in enumerate(TALK)
    ]


def test_the_same_words_are_an_exact_duplicate_whatever_their_case_and_punctuation() -> None:
    shouted = [turn.upper().replace(".", " !!") for turn in TALK]
    assert duplicates_among({"a": TALK, "b": shouted}) == [Duplicate("exact", "b", "a", 1.0)]


def test_seven_turns_of_eight_in_common_are_a_near_duplicate() -> None:
    assert duplicates_among({"a": TALK, "b": other(*range(7))}) == [
        Duplicate("near", "b", "a", 0.88)
    ]


def test_six_turns_of_eight_in_common_are_not() -> None:
    assert duplicates_among({"a": TALK, "b": other(*range(6))}) == []


def test_a_conversation_cut_short_is_a_near_duplicate_of_the_whole() -> None:
    assert duplicates_among({"a": TALK, "b": TALK[:4]}) == [Duplicate("near", "b", "a", 1.0)]


def test_what_everybody_says_is_no_duplicate() -> None:
    assert duplicates_among({"a": ["Thank you!", "Yes."], "b": ["Yes.", "Thank you!"]}) == []


def test_conversations_without_words_are_no_duplicates_of_each_other() -> None:
    assert duplicates_among({"a": ["..."], "b": ["???"]}) == []


def test_those_that_are_there_already_are_compared_with_but_not_reported_on() -> None:
    there = {"old": TALK, "twin of old": TALK}
    assert [one.same_as for one in duplicates_among({"new": TALK}, there)] == ["old", "twin of old"]
    assert duplicates_among({}, there) == []


def test_each_pair_is_reported_once() -> None:
    found = duplicates_among({"a": TALK, "b": TALK, "c": TALK})
    assert [(one.conversation_id, one.same_as) for one in found] == [
        ("b", "a"),
        ("c", "a"),
        ("c", "b"),
    ]
