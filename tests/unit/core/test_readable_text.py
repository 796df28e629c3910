"""Texts that people can read: the check and the pattern of the OpenAPI document are the same."""

from __future__ import annotations

import re
from typing import Annotated

import pytest
from pydantic import TypeAdapter, ValidationError

from brightrun.core import text as names
from brightrun.core.fields import LINES, ONE_LINE, REMARK, ReadableText
from brightrun.formats import text as rows

LABEL = ReadableText(without="|<>")
KINDS = {"ONE_LINE": ONE_LINE, "LINES": LINES, "REMARK": REMARK, "LABEL": LABEL}
TEXTS = {
    "A name": {"ONE_LINE", "LINES", "REMARK", "LABEL"},
    "a | b": {"ONE_LINE", "LINES", "REMARK"},
    "two\nlines\tand more": {"LINES", "REMARK"},
    "": {"REMARK"},
    " \u200b": {"REMARK"},
    "\U000e0041": {"REMARK"},
    "\x00": set(),
    "a\x9fb": set(),
    "a\u202eb": set(),
    "a\u2067b": set(),
}


def takes(kind: ReadableText, text: str) -> bool:
    try:
        return TypeAdapter(Annotated[str, kind]).validate_python(text) == text
    except ValidationError:
        return False


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_each_kind_takes_what_it_should(text: str) -> None:
    assert {name for name, kind in KINDS.items() if takes(kind, text)} == TEXTS[text]


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_the_document_says_what_the_check_does(kind: ReadableText, text: str) -> None:
    pattern = TypeAdapter(Annotated[str, kind]).json_schema()["pattern"]
    assert bool(re.search(pattern, text)) == takes(kind, text)


def test_what_shows_nothing_is_the_same_in_names_and_in_rows() -> None:
    assert names.INVISIBLE == rows.INVISIBLE
