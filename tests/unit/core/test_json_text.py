"""Indented JSON is what the standard library writes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brightrun.core.json_text import indented, require_encodable

_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner),
)


@given(_VALUES)
def test_a_value_is_written_as_the_standard_library_does(value: Any) -> None:
    assert indented(value) == json.dumps(value, ensure_ascii=False, indent=2)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_json_has_no_number_for_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        indented({"intensity": number})


@pytest.mark.parametrize("text", ['"é 😀"', r'"\ud83d\ude00"', r'"\\ud800"', r'"\u00e9"'])
def test_what_utf_8_can_hold_is_encodable(text: str) -> None:
    require_encodable(text, json.loads(text))


@pytest.mark.parametrize(
    "text", ['"\ud800"', r'"\ud800"', r'{"a\uDfFf": 1}', r'["\uD83D x \ude00"]']
)
def test_an_unpaired_surrogate_is_not(text: str) -> None:
    with pytest.raises(UnicodeEncodeError):
        require_encodable(text, json.loads(text))
