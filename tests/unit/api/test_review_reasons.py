"""A reason says something: the same text is refused that the OpenAPI document's pattern refuses."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from brightrun.conversations.review.schemas import Reason

REASONS = TypeAdapter[str](Reason)


@pytest.mark.parametrize("text", [" ", "\t\n", "\x19", "\x7f", "\x85\u00a0", "\u200b\u2060"])
def test_a_reason_without_a_visible_character_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match=r"It (shows nothing|holds the character U\+)"):
        REASONS.validate_python(text)


@pytest.mark.parametrize("text", ["no", " so\nwhat ", "\u2014"])
def test_a_reason_is_kept_as_it_was_written(text: str) -> None:
    assert REASONS.validate_python(text) == text
