"""Finding conversations with the same text."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from brightrun.training_files.duplicates import Duplicate, DuplicateIndex

TURNS = [f"This is turn number {number} of the conversation." for number in range(8)]


def find_duplicates(
    texts: Mapping[str, Sequence[str]], present: Mapping[str, Sequence[str]] | None = None
) -> list[Duplicate]:
    """Take conversations into an index one after the other; duplicates stay out of it."""
    index, found = DuplicateIndex(), []
    for key, turns in (present or {}).items():
        index.add(key, turns)
    for key, turns in texts.items():
        if duplicate := index.closest(key, turns):
            found.append(duplicate)
        else:
            index.add(key, turns)
    return found


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
    assert [one.same_as for one in find_duplicates({"new": TURNS}, present)] == ["old"]
    assert find_duplicates({}, present) == []


def test_each_duplicate_is_reported_once_with_what_it_is_most_like() -> None:
    near = other(*range(7))
    found = find_duplicates(
        {"a": near, "b": TURNS, "c": TURNS, "d": [*TURNS, "And one turn more."]}
    )
    assert [(one.kind, one.conversation_id, one.same_as) for one in found] == [
        ("near", "b", "a"),
        ("near", "c", "a"),
        ("near", "d", "a"),
    ]
    both = DuplicateIndex()
    both.add("near", near)
    both.add("same", TURNS)
    assert both.closest("c", TURNS) == Duplicate("exact", "c", "same", 1.0)


def test_an_index_goes_on_from_what_was_stored_of_it() -> None:
    index = DuplicateIndex()
    index.add("a", TURNS)
    index.add("nothing to compare", ["Yes."])
    stored = DuplicateIndex.load(index.dump())
    assert stored.dump() == index.dump()
    assert stored.closest("b", TURNS) == Duplicate("exact", "b", "a", 1.0)
    assert "a" in stored and "b" not in stored


TURN = st.sampled_from([f"This is turn number {number:02} of them." for number in range(12)])
CONVERSATION = st.lists(TURN, min_size=0, max_size=9)


@given(st.lists(CONVERSATION, max_size=12), CONVERSATION)
def test_only_those_with_a_rare_turn_in_common_need_to_be_compared(
    present: list[list[str]], one: list[str]
) -> None:
    """The index finds what a comparison with every conversation finds."""
    index = DuplicateIndex()
    for number, turns in enumerate(present):
        index.add(str(number), turns)
    overlaps = [
        (turns == one, len(set(turns) & set(one)) / min(len(set(turns)), len(set(one))))
        for turns in present
        if turns and one
    ]
    best = max((found for found in overlaps if found[1] >= 0.8), default=None)
    found = index.closest("one", one)
    assert (found is None) == (best is None)
    if found and best:
        assert (found.kind == "exact", found.overlap) == (best[0], round(best[1], 2))


def test_a_greeting_in_every_conversation_costs_nothing() -> None:
    """The number of comparisons stays small, whatever a thousand conversations share."""
    index = DuplicateIndex()
    greeting = "Welcome, and thank you for coming in today."
    for number in range(1000):
        index.add(str(number), [greeting, *(f"Turn {at} of number {number}." for at in range(7))])
    compared: list[int] = []
    compare = index._compare

    def counted(key: str, turns: array[int], number: int) -> Duplicate | None:
        compared.append(number)
        return compare(key, turns, number)

    index._compare = counted  # type: ignore[method-assign]
    turns = [greeting, *(f"Turn {at} of another one." for at in range(7))]
    assert index.closest("another", turns) is None
    assert len(compared) <= 1
