"""The split into training and validation: by conversation, repeatable, no leaks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from brightrun.validation import split
from brightrun.validation.result import ValidationResult
from brightrun.validation.split import Split
from tests.unit.validation.records import (
    Record,
    alpaca,
    checked,
    conversation,
    messages,
    pair,
    sharegpt,
)

LONG = "This is a long answer that nobody else has given before, number {}, to the very end."


def _conversations(count: int, start: int = 0) -> list[Record]:
    return [messages(f"Question {n}?", LONG.format(n)) for n in range(start, start + count)]


def _rows(conversations: int, rows: int) -> list[Record]:
    return [
        {**pair(f"Q{n}.{row}?", LONG.format((n, row))), "conversation_id": f"conversation-{n}"}
        for n in range(conversations)
        for row in range(rows)
    ]


def _split(*records: Record | bytes, **options: Any) -> Split:
    found = checked(*records, **options).split
    assert found is not None
    return found


def test_a_tenth_of_the_conversations_validates_and_every_pair_is_on_one_side() -> None:
    found = _split(*_conversations(200))
    assert (found.seed, found.fraction) == (42, 0.1)
    assert (found.training_conversations, found.validation_conversations) == (180, 20)
    assert (found.training_pairs, found.validation_pairs) == (180, 20)
    assert len(found.validation_lines) == 20
    assert found.validation_lines == sorted(set(found.validation_lines))


def test_the_same_seed_gives_the_same_split_and_another_seed_another() -> None:
    assert _split(*_conversations(100)) == _split(*_conversations(100))
    assert (
        _split(*_conversations(100)).validation_lines
        != _split(*_conversations(100), seed=7).validation_lines
    )


def test_all_rows_of_a_conversation_are_on_one_side() -> None:
    found = _split(b'{"_meta":{"total_pairs":120}}', *_rows(30, 4))
    sides: dict[int, set[bool]] = {}
    for line in range(2, 122):
        sides.setdefault((line - 2) // 4, set()).add(line in found.validation_lines)
    assert all(len(side) == 1 for side in sides.values())
    assert (found.validation_conversations, found.validation_pairs) == (3, 12)
    assert (found.training_conversations, found.training_pairs) == (27, 108)
    assert 1 not in found.validation_lines


def test_rows_that_stand_apart_are_still_on_one_side() -> None:
    rows = _rows(20, 2)
    found = _split(*rows[::2], *rows[1::2])
    for line in range(1, 21):
        assert (line in found.validation_lines) == (line + 20 in found.validation_lines)


def test_conversation_lines_of_one_id_are_on_one_side() -> None:
    lines = [
        {**conversation(f"Question {n}?", LONG.format(n)), "conversation_id": f"c-{n % 30}"}
        for n in range(60)
    ]
    validating = set(_split(*lines).validation_lines)
    assert validating
    assert all((n in validating) == (n + 30 in validating) for n in range(1, 31))


@pytest.mark.parametrize("seed", range(20))
def test_near_duplicates_are_on_one_side_even_through_a_third(seed: int) -> None:
    one, other = LONG.format("one") * 2, LONG.format("two") * 2
    family = [
        messages("a", one),
        messages("b", other),
        messages("c", one, "d", other),
        messages("e", one),
    ]
    found = _split(*family[:2], *_conversations(6), *family[2:], seed=seed, fraction=0.4)
    lines = set(found.validation_lines)
    assert lines >= {1, 2, 9, 10} or not lines & {1, 2, 9, 10}
    assert 1 <= len(lines) <= 9


def test_a_duplicate_stays_with_its_original() -> None:
    for seed in range(20):
        found = _split(*_conversations(10), *_conversations(1), seed=seed, fraction=0.5)
        assert (1 in found.validation_lines) == (11 in found.validation_lines)


def test_a_group_larger_than_the_share_stays_in_training() -> None:
    same = [messages(f"Another {n}?", LONG.format("same")) for n in range(50)]
    found = _split(*same, *_conversations(50))
    assert found.validation_conversations == 10
    assert all(line > 50 for line in found.validation_lines)


@pytest.mark.parametrize(
    "records", [_conversations(1), [*_conversations(1), *_conversations(1)], _rows(1, 5)]
)
def test_one_group_cannot_be_parted(records: list[Record]) -> None:
    found = _split(*records)
    assert found.validation_lines == []
    assert (found.validation_conversations, found.validation_pairs) == (0, 0)


@pytest.mark.parametrize("fraction", [0.001, 0.5, 0.999])
@pytest.mark.parametrize("seed", range(5))
def test_with_two_groups_each_side_has_one(seed: int, fraction: float) -> None:
    found = _split(*_conversations(2), seed=seed, fraction=fraction)
    assert (found.training_conversations, found.validation_conversations) == (1, 1)


def test_a_conversation_with_nothing_to_train_is_no_validation() -> None:
    empty = {**pair("Silent?", None), "conversation_id": "silent"}
    for seed in range(10):
        found = _split(empty, *_rows(2, 1), seed=seed)
        assert 1 not in found.validation_lines
        assert (found.training_pairs, found.validation_pairs) == (1, 1)


@pytest.mark.parametrize("record", [sharegpt, alpaca])
def test_other_formats_are_parted_by_record(record: Any) -> None:
    found = _split(*[record(f"Question {n}?", LONG.format(n)) for n in range(20)])
    assert found.validation_conversations == len(found.validation_lines) == 2


def test_a_file_that_is_not_ready_has_no_split() -> None:
    assert checked(*_conversations(3), b"{").split is None


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1])
def test_a_fraction_must_leave_both_sides_something(fraction: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        checked(*_conversations(3), fraction=fraction)


def test_the_file_for_the_trainer_is_plain_json_with_a_version() -> None:
    plain = json.loads(json.dumps(_split(*_conversations(20)).as_dict()))
    assert plain["version"] == 1
    assert len(plain["validation_lines"]) == 2
    assert set(plain) == {
        "version",
        "seed",
        "fraction",
        "validation_lines",
        "training_conversations",
        "validation_conversations",
        "training_pairs",
        "validation_pairs",
    }


def test_the_result_shows_the_counts_of_the_split_without_its_lines() -> None:
    plain = checked(*_conversations(20)).as_dict()
    assert plain["split"]["validation_conversations"] == 2
    assert "validation_lines" not in plain["split"]


def test_records_beyond_what_is_remembered_train_and_a_warning_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(split, "MOST_LINES", 50)
    result: ValidationResult = checked(
        *_conversations(30), b"", b"", *_conversations(30, 30), *_conversations(1)
    )
    found = result.split
    assert found is not None
    assert found.training_conversations + found.validation_conversations == 61
    assert found.training_pairs + found.validation_pairs == 61
    assert 0 < max(found.validation_lines) <= 50
    warning = next(w for w in result.warnings if w.code == "beyond_split")
    assert "13 records" in warning.message
