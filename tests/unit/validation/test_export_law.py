"""Law: everything the formats write validates clean and keeps its counts."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brightrun.formats.errors import NothingToTrainError
from brightrun.formats.model import Example
from brightrun.validation.validator import validate
from tests.unit.formats.training_examples import (
    HARD_TEXTS,
    JSONL_FORMS,
    REAL_FILES,
    as_pairs,
    converted,
    examples,
    jsonl,
    needs_real_files,
)
from tests.unit.validation.records import messages

# What the text itself, not its form, may give rise to.
OF_THE_TEXT = {
    "literal_escape",
    "cut_text",
    "ends_without_answer",
    "special_token",
    "personal_data",
    "secret",
    "duplicate",
    "near_duplicate",
}


@given(given_examples=st.lists(examples(), min_size=1, max_size=5), repeat_user=st.booleans())
@settings(max_examples=30, deadline=None)
@pytest.mark.parametrize("form", JSONL_FORMS)
def test_every_export_is_ready_and_keeps_its_counts(
    form: str, given_examples: list[Example], repeat_user: bool
) -> None:
    pairs = [pair for e in given_examples for pair in as_pairs(e, repeat_user=repeat_user)]
    written, conversion = converted(jsonl(pairs), form)
    result = validate(BytesIO(written))
    assert (result.status, result.format) == ("ready", form)
    assert result.trainable_pairs == conversion.trainable_pairs == len(pairs)
    assert result.records == conversion.written
    assert {row.code for row in result.summary} <= OF_THE_TEXT


@given(
    said=st.lists(
        st.lists(st.one_of(st.text(max_size=8), st.sampled_from(HARD_TEXTS)), max_size=5),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize("form", JSONL_FORMS)
def test_what_a_converter_lets_through_is_ready_however_faulty_its_source(
    form: str, said: list[list[str]]
) -> None:
    source = jsonl([messages("Always", "there."), {"messages": []}, *map(_record, said)])
    written, conversion = converted(source, form)
    result = validate(BytesIO(written))
    assert (result.status, result.trainable_pairs) == ("ready", conversion.trainable_pairs)
    assert {row.code for row in result.summary} <= OF_THE_TEXT


def _record(texts: list[str]) -> dict[str, object]:
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[n % 2], "content": t} for n, t in enumerate(texts)]}


@needs_real_files
@pytest.mark.parametrize("form", JSONL_FORMS)
@pytest.mark.parametrize(
    ("name", "trainable"),
    [
        ("eq-12.training.json", 44),
        ("eq-12.training.jsonl", 44),
        ("pair-a.enriched.json", 1),
        ("enriched-with-scaffolding.json", 4),
    ],
)
def test_the_real_files_are_ready_in_every_format(name: str, trainable: int, form: str) -> None:
    written, _ = converted((REAL_FILES / name).read_bytes(), form)
    result = validate(BytesIO(written))
    assert (result.status, result.trainable_pairs) == ("ready", trainable)


@needs_real_files
def test_text_that_was_cut_off_is_flagged() -> None:
    source = (REAL_FILES / "pair-b.cut-off.enriched.json").read_bytes()
    result = validate(BytesIO(source))
    counts = {row.code: row.count for row in result.summary}
    assert (counts["cut_text"], counts["nothing_to_train"]) == (2, 1)
    with pytest.raises(NothingToTrainError, match="cut off inside an escape.*2 answers"):
        converted(source, "v4-jsonl")
