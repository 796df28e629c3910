"""The fast path has no rules of its own: it asks the format's about each outline, once."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from brightrun.formats.format import FORMATS
from brightrun.formats.rules import Message, Note
from brightrun.validation import fast_path
from brightrun.validation.fast_path import fast_check
from brightrun.validation.record_summary import RecordSummary
from tests.unit.validation.records import SOUND, Record, checked, messages, pair, said, sharegpt

COMPACT, SPACED = (",", ":"), (", ", ": ")


def _facts(
    name: str, *records: Record | bytes, separators: Any = COMPACT
) -> list[RecordSummary | None]:
    lines = [
        one if isinstance(one, bytes) else json.dumps(one, separators=separators).encode()
        for one in records
    ]
    return fast_check(FORMATS[name])(lines)


def _texts(summary: RecordSummary | None) -> list[str]:
    assert summary is not None
    return [json.loads(bytes(text)) for text in summary.texts]


@pytest.mark.parametrize("separators", [COMPACT, SPACED], ids=["compact", "spaced"])
@pytest.mark.parametrize("name", SOUND)
def test_a_sound_record_of_every_format_takes_it(name: str, separators: Any) -> None:
    (summary,) = _facts(name, SOUND[name], separators=separators)
    assert _texts(summary)[-1] in json.dumps(SOUND[name])


def test_the_rules_are_asked_once_for_all_lines_of_one_outline() -> None:
    asked = []
    messages_format = FORMATS["messages"]
    rules = messages_format.rules
    assert rules is not None

    def check(record: dict[str, Any], note: Note) -> list[Message]:
        asked.append(record)
        assert rules is not None
        return rules.check(record, note)

    watched = replace(messages_format, rules=replace(rules, check=check))
    lines = [json.dumps(messages(f"{n}?", f"{n}.")).encode() for n in range(500)]
    lines += [json.dumps({"messages": said("a", "b", "c")}).encode()] * 500
    found = fast_check(watched)(lines)
    assert len(asked) == 2
    assert None not in found[:500]
    assert set(map(type, found[500:])) == {type(None)}


def test_outlines_are_forgotten_before_they_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fast_path, "_MOST_OUTLINES", 16)
    weights = list(product((0, 1), repeat=6))
    records: list[Record] = [{"messages": said(*"abcdefghijkl")} for _ in weights]
    for record, chosen in zip(records, weights, strict=True):
        for turn, weight in zip(record["messages"][1::2], chosen, strict=True):
            turn["weight"] = weight
    found = _facts("messages", *records)
    assert found[0] is None  # it trains nothing
    trained = [len(summary.trained) for summary in found[1:] if summary is not None]
    assert trained == [sum(chosen) for chosen in weights[1:]]


def test_a_system_prompt_beside_the_turns_is_the_first_text() -> None:
    summary, blank = _facts(
        "sharegpt", {**sharegpt("a", "b"), "system": "s"}, {**sharegpt("a", "b"), "system": ""}
    )
    assert _texts(summary) == ["s", "a", "b"]
    assert _texts(blank) == ["a", "b"]


def test_the_current_turn_that_closes_a_history_is_left_out() -> None:
    record = pair("Now?")
    history = [*record["conversation_history"], {"turn": 3, "role": "user", "content": "Now?"}]
    once, twice = _facts("v4-jsonl", record, {**record, "conversation_history": history})
    assert _texts(once) == _texts(twice) == ["Be kind.", "Hi", "Hello", "Now?", "With one number."]


@pytest.mark.parametrize(
    "line",
    [
        b'{"messages":[{"role":"user","role":"user","content":"a"},'
        b'{"role":"assistant","content":"b"}]}',
        b'{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}],'
        b'"metadata":{"a":1,"a":2}}',
        b'{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}],"more":1}',
        b'{"messages":[]}',
        b"{",
    ],
)
def test_whatever_is_unusual_is_left_to_the_rules(line: bytes) -> None:
    assert _facts("messages", line) == [None]


@pytest.mark.parametrize("value", [[], {}, 12, True])
def test_a_text_of_another_type_is_no_blank_text(value: Any) -> None:
    result = checked(SOUND["alpaca"], {**SOUND["alpaca"], "input": value})
    assert [(one.line, one.pointer, one.code) for one in result.errors] == [
        (2, "/input", "wrong_type")
    ]
