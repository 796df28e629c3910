"""A field that changes what is learned is honoured, or refused by name, in every format."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.formats.one_truth import assert_one_truth, error_codes
from tests.unit.formats.training_examples import jsonl
from tests.unit.validation.records import SOUND, messages, said

UNREAD: list[tuple[str, Any, str]] = [
    ("Weight", 0, "unread_field"),
    ("Train", False, "unread_field"),
    ("System", "Be brief.", "unread_field"),
    ("systemPrompt", "Be brief.", "unread_field"),
    ("System Prompt", "Be brief.", "unread_field"),
    ("loss_mask", [0, 1], "unread_field"),
    ("labels", [-100, -100, 7], "unread_field"),
    ("train_detail", [{"begin_offset": 0, "end_offset": 4, "train": False}], "unread_field"),
    ("masked", 1, "unread_field"),
    ("Reasoning", "Let me think.", "reasoning_field"),
    ("reasoningContent", "Let me think.", "reasoning_field"),
    ("chain_of_thought", "Let me think.", "reasoning_field"),
    ("availableTools", [{"name": "search"}], "tool_calls"),
    ("Images", ["a.png"], "media"),
]


@pytest.mark.parametrize("name", SOUND)
@pytest.mark.parametrize(("field", "value", "code"), UNREAD, ids=lambda one: str(one)[:24])
def test_a_field_that_changes_what_is_learned_is_refused_however_it_is_written(
    name: str, field: str, value: Any, code: str
) -> None:
    result = assert_one_truth(jsonl([{**SOUND[name], field: value}]))
    assert error_codes(result) >= {code}
    assert (result.refused, result.trainable_pairs) == (1, 0)


@pytest.mark.parametrize(
    ("field", "value"),
    [("labels", ["calm", "brief"]), ("labels", 3), ("mask", "none"), ("ignore", False), ("Id", 5)],
)
def test_a_field_of_such_a_name_that_marks_nothing_costs_no_record(field: str, value: Any) -> None:
    assert assert_one_truth(jsonl([{**messages("a", "b"), field: value}])).status == "ready"


@pytest.mark.parametrize("answer_is_bad", [False, 0, 0.0])
def test_an_answer_labelled_as_one_not_to_give_is_preference_data(answer_is_bad: Any) -> None:
    good, bad = (
        {"prompt": "q", "completion": "a", "label": label}
        for label in (type(answer_is_bad)(1), answer_is_bad)
    )
    result = assert_one_truth(jsonl([good, bad]))
    assert (result.refused, result.trainable_pairs) == (1, 1)
    assert error_codes(result) == {"preference_data"}


@pytest.mark.parametrize("label", [2, 3.0, "calm", ["calm"]])
def test_a_label_that_names_a_class_is_an_extra_field(label: Any) -> None:
    result = assert_one_truth(jsonl([{**messages("a", "b"), "label": label}]))
    assert (result.status, result.refused) == ("ready", 0)


PREFERENCES: list[dict[str, Any]] = [
    {"prompt": "q", "chosen": "a", "rejected": "b"},
    {"chosen": said("q", "a"), "rejected": said("q", "b")},
    {"input": {"messages": said("q")}, "preferred_output": said("a")},
]


@pytest.mark.parametrize("name", SOUND)
@pytest.mark.parametrize("row", PREFERENCES, ids="-".join)
def test_a_preference_among_other_records_is_named_as_one(name: str, row: dict[str, Any]) -> None:
    result = assert_one_truth(jsonl([SOUND[name], row]))
    assert (result.refused, error_codes(result)) == (1, {"preference_data"})


@pytest.mark.parametrize("channel", ["analysis", "commentary"])
def test_a_turn_of_a_channel_for_thoughts_is_refused_by_name(channel: str) -> None:
    record = messages("a", "b")
    record["messages"][1]["channel"] = channel
    result = assert_one_truth(jsonl([record, messages("c", "d")]))
    assert (result.refused, error_codes(result)) == (1, {"reasoning_field"})


@pytest.mark.parametrize("channel", ["final", "email", ["email"], None])
def test_a_channel_of_another_kind_is_an_extra_field(channel: Any) -> None:
    record = messages("a", "b")
    record["messages"][1]["channel"] = channel
    assert assert_one_truth(jsonl([record])).refused == 0


PARTS: list[tuple[dict[str, Any], str]] = [
    ({"inlineData": {"mimeType": "image/png", "data": "aGk="}}, "media"),
    ({"fileData": {"fileUri": "gs://b/a.png"}}, "media"),
    ({"type": "document", "source": {"type": "text", "data": "hi"}}, "media"),
    ({"type": "input_audio", "input_audio": {"data": "aGk="}}, "media"),
    ({"type": "text", "text": "a chart", "image_url": "a.png"}, "media"),
    ({"functionCall": {"name": "search"}}, "tool_calls"),
    ({"executableCode": {"code": "1"}}, "tool_calls"),
    ({"type": "tool_use", "name": "search", "input": {}}, "tool_calls"),
    ({"type": "thinking", "thinking": "hm"}, "reasoning_field"),
    ({"text": "hm", "thought": True}, "reasoning_field"),
    ({"type": "refusal", "refusal": "no"}, "wrong_type"),
]


@pytest.mark.parametrize(("part", "code"), PARTS, ids=lambda one: str(one)[:30])
def test_a_part_of_a_content_that_is_no_text_is_named(part: dict[str, Any], code: str) -> None:
    record = messages("a", "b")
    record["messages"][0]["content"] = [{"type": "text", "text": "see "}, part]
    result = assert_one_truth(jsonl([record, messages("c", "d")]))
    assert (result.refused, error_codes(result)) == (1, {code})


def test_a_part_without_a_type_is_told_by_the_names_of_its_fields() -> None:
    record = messages("a", "b")
    record["messages"][0]["content"] = [{"functionCall": {"name": "search"}}]
    [problem] = assert_one_truth(jsonl([record])).errors
    assert "'function_call'" in problem.message


def test_nulls_beside_the_text_of_a_part_are_absent() -> None:
    record = messages("a", "b")
    record["messages"][0]["content"] = [{"type": "text", "text": "see", "image_url": None}]
    assert assert_one_truth(jsonl([record])).status == "ready"


@pytest.mark.parametrize("placeholder", ["<image>", "<video>", "<audio>"])
def test_a_placeholder_of_what_is_not_text_refuses_its_record(placeholder: str) -> None:
    result = assert_one_truth(jsonl([messages(f"What is {placeholder}?", "b"), messages("a", "b")]))
    assert (result.refused, result.trainable_pairs) == (1, 1)
