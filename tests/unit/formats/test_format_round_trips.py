"""What trains survives every way through the formats, character by character."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brightrun.formats.model import Example, Turn
from tests.unit.formats.training_examples import (
    CHAT_FORMS,
    HARD_TEXTS,
    JSONL_FORMS,
    as_pairs,
    converted,
    examples,
    jsonl,
    pairs_in,
)


def _core(pair: dict[str, object]) -> tuple[object, ...]:
    history = pair["conversation_history"]
    assert isinstance(history, list)
    said = [(turn["role"], turn["content"]) for turn in history]
    return pair["system_prompt"], said, pair["current_user_input"], pair["target_response"]


def _all_pairs(given_examples: list[Example], *, repeat_user: bool) -> list[dict[str, object]]:
    return [pair for e in given_examples for pair in as_pairs(e, repeat_user=repeat_user)]


@given(given_examples=st.lists(examples(), min_size=1, max_size=4), repeat_user=st.booleans())
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("via", CHAT_FORMS)
def test_v4_through_any_chat_format_keeps_every_trainable_character(
    via: str, given_examples: list[Example], repeat_user: bool
) -> None:
    pairs = _all_pairs(given_examples, repeat_user=repeat_user)
    there, first = converted(jsonl(pairs, ensure_ascii=False), via)
    back, second = converted(there, "v4-jsonl")
    trained = [pair["target_response"] for pair in pairs_in(back)]
    assert trained == [pair["target_response"] for pair in pairs]
    assert first.trainable_pairs == second.trainable_pairs == len(pairs)
    assert not first.left_out
    assert not second.left_out


@given(given_examples=st.lists(examples(), min_size=1, max_size=3), repeat_user=st.booleans())
@settings(max_examples=60, deadline=None)
def test_v4_through_messages_keeps_system_prompt_history_and_metadata(
    given_examples: list[Example], repeat_user: bool
) -> None:
    clean = _all_pairs(given_examples, repeat_user=False)
    source = jsonl(_all_pairs(given_examples, repeat_user=repeat_user))
    back = pairs_in(converted(converted(source, "messages")[0], "v4-jsonl")[0])
    assert [_core(pair) for pair in back] == [_core(pair) for pair in clean]
    assert [pair["training_metadata"] for pair in back] == [
        pair["training_metadata"] for pair in clean
    ]


@given(example=examples(), ensure_ascii=st.booleans())
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("form", JSONL_FORMS)
def test_writing_a_format_twice_gives_the_same_bytes(
    form: str, example: Example, ensure_ascii: bool
) -> None:
    source = jsonl(as_pairs(example), ensure_ascii=ensure_ascii)
    once, _ = converted(source, form)
    again, _ = converted(once, form)
    assert again == once


@given(given_examples=st.lists(examples(), min_size=1, max_size=3))
@settings(max_examples=40, deadline=None)
def test_v4_jsonl_to_json_and_back_keeps_the_pairs_of_each_conversation(
    given_examples: list[Example],
) -> None:
    pairs = [pair for e in given_examples for pair in as_pairs(e)]
    document, there = converted(jsonl(pairs), "v4-json")
    back, _ = converted(document, "v4-jsonl")
    by_conversation = sorted(pairs, key=lambda pair: _order(pairs, pair))
    assert [_core(pair) for pair in pairs_in(back)] == [_core(pair) for pair in by_conversation]
    assert there.trainable_pairs == len(pairs)


def _order(pairs: list[dict[str, object]], pair: dict[str, object]) -> int:
    names = [each["conversation_id"] for each in pairs]
    return names.index(pair["conversation_id"])


@pytest.mark.parametrize("via", CHAT_FORMS)
def test_turns_of_hundreds_of_kilobytes_survive(via: str) -> None:
    big = "".join(HARD_TEXTS) * 900
    assert len(big.encode()) > 300_000
    example = Example((Turn("user", big + "?"), Turn("assistant", big + "!", trains=True)), big)
    source = jsonl(as_pairs(example), ensure_ascii=False)
    back = pairs_in(converted(converted(source, via)[0], "v4-jsonl")[0])
    assert [pair["target_response"] for pair in back] == [big + "!"]


def test_an_answer_that_is_context_only_is_written_with_weight_zero_and_read_back_so() -> None:
    turns = (
        Turn("user", "one"),
        Turn("assistant", "context"),
        Turn("user", "two"),
        Turn("assistant", "learn this", trains=True),
    )
    source = jsonl(as_pairs(Example(turns, conversation_id="c")))
    for form in ("messages", "conversations", "sharegpt"):
        written, result = converted(source, form)
        record = json.loads(written)
        said = record.get("messages") or record.get("turns") or record["conversations"]
        assert [turn.get("weight") for turn in said] == [None, 0, None, None]
        assert result.trainable_pairs == 1
        assert len(pairs_in(converted(written, "v4-jsonl")[0])) == 1
