"""Changing what one turn of a conversation says, held to the rules that new text is held to."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from brightrun.domain.turn_text import is_cut_off, literal_escape, same_words
from brightrun.errors import InvalidInputError, InvalidTurnError

LONGEST_TURN = 100_000
"""Characters of a turn's text; Claude writes some 2,000 at most."""


def with_turn(document: Mapping[str, Any], turn_number: int, content: str) -> dict[str, Any]:
    """Give the conversation with another text at a turn, by its place from 1.

    Raises InvalidTurnError for a turn that is not there, and for a text that is blank, was cut off,
    holds escapes as characters or repeats another turn; InvalidInputError for a file without turns.
    """
    edited = copy.deepcopy(dict(document))
    turns = edited.get("turns")
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise InvalidInputError("The conversation's file has no list of turns to edit.")
    if not 1 <= turn_number <= len(turns):
        raise InvalidTurnError(
            "turn_number", f"There is no turn {turn_number}; the conversation has {len(turns)}."
        )
    others = [turn for number, turn in enumerate(turns, 1) if number != turn_number]
    if fault := _fault(content, others):
        raise InvalidTurnError("content", fault)
    turns[turn_number - 1]["content"] = content
    return edited


def said_in(document: Mapping[str, Any], turn_number: int) -> str | None:
    """What a turn says now; None where there is no such turn."""
    turns = document.get("turns")
    if not isinstance(turns, list) or not 1 <= turn_number <= len(turns):
        return None
    turn = turns[turn_number - 1]
    said = turn.get("content") if isinstance(turn, dict) else None
    return said if isinstance(said, str) else None


def _fault(content: str, others: list[dict[str, Any]]) -> str | None:
    if not content.strip():
        return "The turn would say nothing."
    if is_cut_off(content):
        return "The text ends in a backslash, as text does that was cut off."
    if escape := literal_escape(content):
        return f"The text holds the escape {escape} where a character belongs."
    repeated = same_words(content)
    if any(same_words(str(turn.get("content") or "")) == repeated for turn in others):
        return "The text repeats another turn of the conversation."
    return None
