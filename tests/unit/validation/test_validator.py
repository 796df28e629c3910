"""What the validator says about a file as a whole."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from io import BytesIO

import pytest

from brightrun.validation import tally
from brightrun.validation.result import ValidationResult
from brightrun.validation.tokens import Tokenizer
from brightrun.validation.validator import Options, validate
from tests.unit.formats.training_examples import REAL_FILES, needs_real_files
from tests.unit.validation.records import (
    SOUND,
    Record,
    alpaca,
    checked,
    conversation,
    found,
    lines,
    messages,
    pair,
    said,
)

PROMISED_FIELDS = {
    "status",
    "format",
    "lines",
    "trainable_pairs",
    "total_training_pairs",
    "total_tokens",
    "tokens_method",
    "avg_turns_per_conversation",
    "duplicates",
    "near_duplicates",
    "warnings",
    "errors",
    "sha256",
    "seconds",
    "mb_per_s",
}


@pytest.mark.parametrize(
    ("form", "stored", "turns"),
    [
        ("messages", 2, 2.0),
        ("conversations", 2, 2.0),
        ("sharegpt", 2, 2.0),
        ("alpaca", 1, 2.0),
        ("prompt-completion", 1, 2.0),
        ("v4-jsonl", 1, 4.0),
    ],
)
def test_each_format_is_recognised_and_counted(form: str, stored: int, turns: float) -> None:
    result = checked(SOUND[form])
    assert (result.status, result.format, result.exit_code) == ("ready", form, 0)
    assert (result.lines, result.records, result.trainable_pairs) == (1, 1, 1)
    assert result.total_training_pairs == stored
    assert result.avg_turns_per_conversation == turns
    assert not result.errors
    assert not result.warnings
    assert "the first record has the key" in result.detected_by


@needs_real_files
def test_the_products_own_file_is_ready_with_its_44_trainable_pairs() -> None:
    data = (REAL_FILES / "eq-12.training.jsonl").read_bytes()
    result = validate(BytesIO(data))
    assert (result.status, result.trainable_pairs, result.lines) == ("ready", 44, 45)
    assert result.sha256 == hashlib.sha256(data).hexdigest()
    assert found(result.warnings) == [(1, "/_meta/total_pairs", "meta_count_mismatch")]
    assert "it says 89, the file holds 44" in result.warnings[0].message


@needs_real_files
def test_v1s_valid_conversation_lines_give_its_golden_counts() -> None:
    result = validate(BytesIO((REAL_FILES / "conversation-lines.valid.jsonl").read_bytes()))
    assert (result.status, result.records) == ("ready", 5)
    assert (result.total_training_pairs, result.avg_turns_per_conversation) == (20, 4.0)
    assert result.trainable_pairs == 10


@needs_real_files
def test_v1s_invalid_conversation_lines_give_its_five_errors() -> None:
    result = validate(BytesIO((REAL_FILES / "conversation-lines.invalid.jsonl").read_bytes()))
    assert (result.status, result.error_count, result.exit_code) == ("error", 5, 1)
    assert [(problem.line, problem.code) for problem in result.errors] == [
        (2, "empty_turns"),
        (3, "missing_field"),
        (4, "missing_field"),
        (5, "invalid_json"),
        (6, "missing_field"),
    ]


def test_every_problem_of_a_line_is_reported_with_its_pointer() -> None:
    record = {
        "messages": [
            {"role": "narrator", "content": ""},
            {"role": "assistant", "content": 7, "name": "x", "a/b~c": 1},
        ],
        "extra": 1,
    }
    result = checked(messages(), record)
    assert found(result.errors) == [
        (2, "/messages/0/role", "unknown_role"),
        (2, "/messages/0/content", "empty_turn"),
        (2, "/messages/1/content", "wrong_type"),
    ]
    assert found(result.warnings) == [
        (2, "/extra", "extra_field"),
        (2, "/messages/1/name", "extra_field"),
        (2, "/messages/1/a~1b~0c", "extra_field"),
    ]


def test_past_the_cap_counts_stay_exact_and_each_code_is_still_shown_once() -> None:
    bad: list[Record | bytes] = [b"not json"] * 500
    result = checked(messages(), *bad, {"messages": []}, listed=10)
    assert len(result.errors) == 11
    assert result.error_count == 501
    counts = {row.code: (row.count, row.lines) for row in result.summary}
    assert counts["invalid_json"] == (500, [2, 3, 4, 5, 6])
    assert counts["empty_turns"] == (1, [502])
    assert result.errors[-1].line == 502


def test_a_table_too_small_for_the_file_is_told_as_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tally, "_ANSWER_BITS", 4)
    many = [messages(f"Question {n}?", f"Answer {n}. " * 9) for n in range(60)]
    result = checked(*many)
    assert result.status == "ready"
    assert result.forgotten > 0
    assert [w.code for w in result.warnings] == ["repetition_forgotten"]
    assert f"({result.forgotten} texts)" in result.warnings[0].message


def test_a_source_that_gives_little_at_a_time_is_read_to_its_end() -> None:
    class Slow(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 7))

    data = lines(*[messages(f"q{n}", f"a{n}") for n in range(50)], b"{", messages())
    result = validate(Slow(data))
    assert _without_time(result) == _without_time(validate(BytesIO(data)))
    assert (result.lines, result.bytes) == (52, len(data))


def test_weights_are_counted_the_same_in_every_way_of_writing() -> None:
    turns: list[dict[str, str | int]] = [dict(turn) for turn in said("a", "b", "c", "d")]
    turns[1]["weight"], turns[3]["weight"] = 0, 1
    record = {"messages": turns}
    spaced = json.dumps(record).encode()
    assert checked(messages(), record, spaced).trainable_pairs == 3


def test_a_slash_written_as_an_escape_makes_no_other_text() -> None:
    plain = lines(messages("and/or", "either/or"))[:-1]
    assert checked(plain, plain.replace(b"/", b"\\/")).duplicates == 1


def test_a_bad_line_among_many_sound_ones_is_the_only_one_named() -> None:
    many: list[Record | bytes] = [messages(f"q{n}", f"a{n}. " * 40) for n in range(500)]
    many[100] = b'{"messages":[{"role":"user","content":"Caf\xe9"}]}'
    many[200] = b'{"messages":[],"messages":[]}'
    many[300] = lines(messages("x", "y", metadata={"a": 1}))[:-1].replace(b"1}", b'1,"a":2}')
    result = checked(*many)
    assert found(result.errors) == [
        (101, "", "invalid_utf8"),
        (201, "/messages", "duplicate_key"),
        (201, "/messages", "empty_turns"),
        (301, "/metadata/a", "duplicate_key"),
    ]
    assert result.trainable_pairs == 497


@pytest.mark.parametrize(
    "metadata",
    [
        b'{"a":1,"a":2}',
        b'{"a" :1,"a":2}',
        b'{"a":"\\u0022:","a":2}',
        b'{"b":{"a":1,"a":2}}',
        b'{"a":"x\\":","a":2}',
    ],
)
def test_a_key_that_stands_twice_in_metadata_is_found_however_it_is_written(
    metadata: bytes,
) -> None:
    line = lines(messages("x", "y", metadata={}))[:-1].replace(b"{}", metadata)
    result = checked(messages(), line)
    assert [problem.code for problem in result.errors] == ["duplicate_key"]


def test_the_result_is_one_json_object_with_the_promised_fields() -> None:
    plain = json.loads(json.dumps(checked(messages(), b"{").as_dict()))
    assert plain.keys() >= PROMISED_FIELDS
    assert plain["errors"][0] == {
        "line": 2,
        "pointer": "",
        "code": "invalid_json",
        "message": plain["errors"][0]["message"],
        "hint": plain["errors"][0]["hint"],
    }


@pytest.mark.parametrize("data", [b"", b'{"foo": 1}\n', b"[1, 2]", b"words\n"])
def test_what_is_no_training_file_at_all_is_unusable(data: bytes) -> None:
    result = validate(BytesIO(data))
    assert (result.status, result.format, result.exit_code) == ("error", None, 2)


def test_seconds_and_rate_come_from_the_clock() -> None:
    ticks = iter([10.0, 12.0])
    data = lines(*[messages(f"q{n}", f"a{n}") for n in range(20_000)])
    result = validate(BytesIO(data), clock=lambda: next(ticks))
    assert result.seconds == 2.0
    assert result.mb_per_s == round(len(data) / 2e6, 1)


def test_the_same_text_twice_is_a_duplicate_whatever_its_id_metadata_and_escapes() -> None:
    first = messages("Café?", "Oui. " * 20, metadata={"id": 1})
    second = json.dumps(messages("Café?", "Oui. " * 20, metadata={"id": 2})).encode()
    result = checked(first, second)
    assert (result.duplicates, result.near_duplicates, result.forgotten) == (1, 0, 0)
    assert found(result.warnings) == [(2, "", "duplicate")]
    assert "first on line 1" in result.warnings[0].message


def test_half_of_the_trained_text_seen_before_is_a_near_duplicate() -> None:
    long, other, third = "This answer is long. " * 5, "Another long one. " * 6, "New words. " * 9
    result = checked(
        messages("a", long, "b", other), messages("c", long, "d", third), messages("e", third)
    )
    assert result.near_duplicates == 2
    assert found(result.warnings) == [(2, "", "near_duplicate"), (3, "", "near_duplicate")]


def test_short_answers_that_recur_are_no_near_duplicates() -> None:
    assert (
        checked(messages("Is 2 even?", "Yes."), messages("Is 4 even?", "Yes.")).warning_count == 0
    )


def test_pairs_of_one_v4_conversation_are_no_duplicates_and_count_its_turns_once() -> None:
    second = pair("And then?", "The next number, when you are ready for it, not before.")
    second["conversation_history"] = [
        *pair()["conversation_history"],
        {"turn": 3, "role": "user", "content": pair()["current_user_input"]},
        {"turn": 4, "role": "assistant", "content": pair()["target_response"]},
    ]
    result = checked(pair(), second)
    assert (result.duplicates, result.near_duplicates) == (0, 0)
    assert result.avg_turns_per_conversation == 6.0


def test_a_history_that_repeats_the_current_user_turn_is_read_both_ways() -> None:
    repeated = pair()
    repeated["conversation_history"] = [
        *repeated["conversation_history"],
        {"turn": 3, "role": "user", "content": repeated["current_user_input"]},
    ]
    result = checked(repeated)
    assert (result.status, result.avg_turns_per_conversation) == ("ready", 4.0)


def test_null_targets_are_counted_apart() -> None:
    result = checked(pair(), pair("Other?", None))
    assert (result.trainable_pairs, result.total_training_pairs) == (1, 2)
    assert found(result.warnings) == [(2, "/target_response", "null_target")]


def test_a_policy_raises_warnings_to_errors() -> None:
    record = messages("Write to ann@example.org please", "I will.")
    assert checked(record).status == "ready"
    blocked = checked(record, block={"personal_data"})
    assert (blocked.status, blocked.trainable_pairs) == ("error", 0)
    assert found(blocked.errors) == [(1, "/messages/0/content", "personal_data")]
    with pytest.raises(ValueError, match="do not exist: personal_date"):
        checked(record, block={"personal_date"})


def test_a_record_too_long_for_the_chosen_model_is_an_error_with_both_numbers() -> None:
    words = Tokenizer("words", lambda text: len(text.split()))
    result = checked(
        messages("one two", "three " * 40), messages("short", "one"), max_tokens=20, tokenizer=words
    )
    assert found(result.errors) == [(1, "", "too_long_for_model")]
    assert "42 tokens, at most 20" in result.errors[0].message
    assert result.trainable_pairs == 1


def test_tokens_come_from_the_tokenizer_at_hand_and_the_method_names_it() -> None:
    words = Tokenizer("words", lambda text: len(text.split()))
    result = checked(*[alpaca("a b c d", "e f g h")] * 50, tokenizer=words)
    assert result.tokens_method == "words, scaled from a sample of 50 texts"
    assert result.total_tokens == pytest.approx(50 * 8, rel=0.1)
    assert "estimate" in checked(alpaca()).tokens_method


def _without_time(result: ValidationResult) -> dict[str, object]:
    skipped = ("seconds", "mb_per_s", "sha256", "bytes")
    return {key: value for key, value in result.as_dict().items() if key not in skipped}


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
@pytest.mark.parametrize("ensure_ascii", [False, True])
@pytest.mark.parametrize("form", SOUND)
def test_spaces_and_escapes_of_the_writer_change_nothing(
    form: str, separators: tuple[str, str], ensure_ascii: bool
) -> None:
    record = json.loads(json.dumps(SOUND[form]).replace("H", "É—🙂"))
    line = json.dumps(record, ensure_ascii=ensure_ascii, separators=separators).encode()
    assert _without_time(checked(line)) == _without_time(checked(record))


def test_blank_lines_and_physical_line_numbers_go_together() -> None:
    result = validate(BytesIO(lines(messages()) + b"\n\n" + lines(b"{")))
    assert found(result.errors) == [(4, "", "invalid_json")]
    assert Counter(problem.code for problem in result.warnings) == {"blank_line": 2}


def test_the_first_bad_lines_do_not_keep_the_format_from_being_found() -> None:
    result = checked(b"junk", {"foo": 1}, conversation(), conversation("x", "y"))
    assert result.format == "conversations"
    assert result.trainable_pairs == 2
    assert found(result.errors) == [(1, "", "invalid_json"), (2, "", "missing_field")]


def test_a_line_of_the_longest_allowed_length_is_read_and_one_byte_more_is_not() -> None:
    line = lines(messages("a", "b"))[:-1]
    exact, less = len(line), len(line) - 1
    assert validate(BytesIO(line + b"\n"), Options(longest_line=exact)).status == "ready"
    result = validate(BytesIO(line + b"\n"), Options(longest_line=less))
    assert found(result.errors) == [(1, "", "line_too_long")]
    assert f"{exact} bytes, at most {less}" in result.errors[0].message
