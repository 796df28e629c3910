"""What is wrong with the text of a turn, as far as its characters tell."""

from __future__ import annotations

import re

# The constrained decoder of the original closed a string at its first quote, and left a backslash.
_CUT_OFF = re.compile(r"\\\s*$")
_LITERAL_ESCAPE = re.compile(r"\\(?:[nrt\"]|u[0-9a-fA-F]{4})")
_GOES_ON = frozenset(",-\u2013\u2014([{<\\/&")
"""Marks after which a sentence goes on; any other mark may end one, an emoji too."""


def is_cut_off(text: str) -> bool:
    """Whether the text ends in a backslash, as text does that was cut at a quote."""
    return bool(_CUT_OFF.search(text))


def is_finished(text: str) -> bool:
    """Whether the text ends in a mark that may end a sentence; a bare word at the end does not."""
    last = text.rstrip()[-1:]
    return bool(last) and not last.isalnum() and last not in _GOES_ON


def literal_escape(text: str) -> str | None:
    """The first escape that stands in the text as characters, as in a text escaped twice."""
    match = _LITERAL_ESCAPE.search(text)
    return match[0] if match else None


def same_words(text: str) -> str:
    """The text without its case and spacing, to find it said twice."""
    return " ".join(text.split()).casefold()
