"""The flags of a conversation: what a person must see before it is trained on, in any domain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from brightrun.conversations.quality.directives import directive_flags
from brightrun.conversations.quality.model import TurnFlag
from brightrun.conversations.quality.safety import crisis_flags
from brightrun.conversations.quality.text_faults import text_flags
from brightrun.conversations.quality.transcript import (
    Utterance,
    is_english,
    utterances,
    words_of,
)
from brightrun.core.languages import ENGLISH, LANGUAGES

_LOOKED_AT = 20
"""Turns of which the language is looked at, which is also how few words tell nothing of it."""


def turn_flags(turns: Sequence[Any], language: str | None = None) -> list[TurnFlag]:
    """The flags of turns, which may not have been validated, in order of the turns.

    `language` is the one that was asked for.
    """
    said = utterances(turns)
    flags = [
        *directive_flags(said),
        *crisis_flags(said),
        *text_flags(said),
        *_language_flags(said, language),
    ]
    return sorted(flags, key=lambda flag: flag.turn_number)


def _language_flags(said: Sequence[Utterance], language: str | None) -> Iterator[TurnFlag]:
    """Flag English where another language was asked for; other languages are not told apart."""
    if language in {None, ENGLISH} or not said:
        return
    words = words_of(" ".join(one.text[:300] for one in said[:_LOOKED_AT]))
    if len(words) >= _LOOKED_AT and is_english(words):
        message = f"{LANGUAGES[str(language)]} was asked for, and this reads as English."
        yield TurnFlag("wrong_language", said[0].number, message)
