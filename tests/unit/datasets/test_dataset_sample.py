"""The first objects of a file, shortened to what a row can hold."""

from __future__ import annotations

import json
from typing import Any

import pytest

from brightrun.aws.dynamodb import row_of, to_wire
from brightrun.datasets.validate_dataset import sample_of
from tests.effort import effort
from tests.fakes.datasets import a_dataset

WORST = [
    {"text": "𝕏" * effort(500_000, 5_000_000)},
    {f"name {number} " + "n" * 500: "v" * 500 for number in range(10_000)},
    {"list": [[["x"] * 1000] * 1000]},
    {"empty": [{}] * 100_000},
    {"quotes": '"' * 100_000, "escapes": "\u0001" * 100_000},
]


def lines(*values: Any) -> bytes:
    return b"\n".join(json.dumps(value).encode() for value in values)


def test_the_first_three_objects_are_shown_without_the_meta_line() -> None:
    rows = [{"id": number, "score": 4.5} for number in range(5)]
    assert sample_of(lines({"_meta": {"total_pairs": 5}}, *rows)) == rows[:3]


def test_what_is_not_an_object_is_skipped() -> None:
    head = b'no json\n[1]\n\n{"a": 1}\r\n{"b": NaN}\n{"c": ' + b"9" * 5000 + b'}\n{"d": 1'
    assert sample_of(head) == [{"a": 1}]


def test_long_texts_are_shortened_with_an_ellipsis() -> None:
    (sample,) = sample_of(lines({"short": "a", "long": "b" * 1000}))
    assert sample == {"short": "a", "long": "b" * 300 + "…"}


def test_what_no_row_can_hold_becomes_text() -> None:
    head = b'{"half": "\\ud83d", "\\ud83d": 1, "": 2, "least": 1e-200, "most": 1e126, "none": 0.0}'
    assert sample_of(head) == [
        {"half": "?", "?": 1, "…": 2, "least": "1e-200", "most": "1e+126", "none": 0.0}
    ]


def test_numbers_that_not_every_reader_can_represent_are_texts() -> None:
    head = b'{"huge": 123456789012345678901234567890, "most": 1e999, "plain": 7, "yes": true}'
    assert sample_of(head) == [
        {"huge": "123456789012345678901234567890", "most": "inf", "plain": 7, "yes": True}
    ]


def test_deep_nesting_ends() -> None:
    head = b'{"a":' * 60 + b"1" + b"}" * 60
    (sample,) = sample_of(head)
    assert json.dumps(sample).count('"a"') < 20


@pytest.mark.parametrize("worst", WORST)
def test_samples_never_fill_a_row(worst: dict[str, Any]) -> None:
    head = (lines(worst) + b"\n") * 3
    dataset = a_dataset(sample_data=sample_of(head))
    text = json.dumps(dataset.sample_data, ensure_ascii=False)
    assert dataset.sample_data
    assert len(text.encode()) < 90_000
    assert to_wire({**row_of(dataset), "sample_data": text})
