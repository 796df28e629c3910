"""Preference data is a format of its own: checked in full, and never trained as answers."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest

from brightrun.formats.convert import convert
from brightrun.formats.errors import NothingToTrainError
from brightrun.formats.preference import preference_record
from brightrun.sft.data import DataReport, pairs_of_file
from brightrun.sft.errors import DatasetError
from brightrun.validation.validator import Options, validate
from tests.unit.formats.one_truth import assert_one_truth, error_codes
from tests.unit.formats.training_examples import jsonl
from tests.unit.validation.records import messages, said

ANSWER, WORSE = {"role": "assistant", "content": "b"}, {"role": "assistant", "content": "c"}
WRITTEN = preference_record(
    said("Hi", "Hello.", "Why?", system="Be kind."), "So.", "Because.", {"turn_number": 4}
)
SOUND: dict[str, dict[str, Any]] = {
    "as exported": WRITTEN,
    "texts": {"prompt": "a", "chosen": "b", "rejected": "c"},
    "one message each": {"prompt": said("a"), "chosen": ANSWER, "rejected": WORSE},
    "without a prompt": {"chosen": said("a", "b"), "rejected": said("a", "c")},
    "with nulls": {"prompt": "a", "chosen": "b", "rejected": "c", "metadata": None},
}


@pytest.mark.parametrize("record", SOUND.values(), ids=SOUND)
def test_what_trl_takes_is_ready_as_preference_data(record: dict[str, Any]) -> None:
    result = assert_one_truth(jsonl([record]))
    assert (result.status, result.format, result.refused) == ("ready", "preference", 0)


def test_the_validation_says_once_that_it_is_not_trained_here() -> None:
    result = validate(BytesIO(jsonl([SOUND["texts"]] * 3)))
    assert (result.trainable_pairs, result.records) == (0, 3)
    (said_once,) = [row for row in result.summary if row.code == "preference_data"]
    assert (said_once.severity, said_once.count) == ("warning", 1)


def test_a_caller_can_have_it_refused() -> None:
    result = validate(BytesIO(jsonl([WRITTEN])), Options(block=["preference_data"]))
    assert (result.status, error_codes(result)) == ("error", {"preference_data"})


def test_the_trainer_refuses_the_file_and_says_what_trains_it() -> None:
    with pytest.raises(DatasetError, match="preference data.*DPO"):
        pairs_of_file(BytesIO(jsonl([WRITTEN])), "edits.jsonl", DataReport())


def test_a_conversion_learns_neither_answer() -> None:
    with pytest.raises(NothingToTrainError, match="preference data"):
        convert(BytesIO(jsonl([WRITTEN])), "messages", BytesIO())


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"prompt": "a", "chosen": "b"}, "missing_field"),
        ({"prompt": "a", "chosen": "b", "rejected": " "}, "empty_turn"),
        ({"prompt": "a", "chosen": "b", "rejected": "b"}, "no_preference"),
        ({"prompt": "a", "chosen": "b", "rejected": 7}, "wrong_type"),
        ({"prompt": "a", "chosen": [], "rejected": "b"}, "empty_turns"),
        ({"prompt": said("a", "b"), "chosen": "c", "rejected": "d"}, "roles_do_not_alternate"),
        ({"chosen": "c", "rejected": "d"}, "first_turn_not_user"),
        ({"chosen": said("a"), "rejected": said("a", "b")}, "no_trainable_answer"),
        (messages("a", "b"), "mixed_formats"),
    ],
)
def test_a_faulty_record_is_refused_by_name(record: dict[str, Any], code: str) -> None:
    result = assert_one_truth(jsonl([WRITTEN, record]))
    assert (result.format, result.refused) == ("preference", 1)
    assert code in error_codes(result)


def test_the_prompts_fault_is_told_once_though_two_answers_follow_it() -> None:
    twice = {"prompt": [*said("a"), *said("b")], "chosen": "c", "rejected": "d"}
    result = validate(BytesIO(jsonl([twice])))
    assert [problem.pointer for problem in result.errors] == ["/prompt/1/content"]


def test_both_answers_are_searched() -> None:
    record = {"prompt": "a", "chosen": "b", "rejected": "Mail ann@example.org."}
    result = validate(BytesIO(jsonl([record])))
    assert ("/rejected/0/content", "personal_data") in {
        (one.pointer, one.code) for one in result.warnings
    }
