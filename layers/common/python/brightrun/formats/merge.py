"""Joins the examples that are the growing prefixes of one conversation into one example.

A v4 file stores a conversation of n answers as n pairs, each with the earlier turns as history;
a conversation line holds it once.  Memory: one example.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from brightrun.formats.model import Example


def merged(examples: Iterable[Example]) -> Iterator[Example]:
    """Yield the longest example of each run of prefixes; answers that trained in any of them train.

    Neighbours are joined when they name the same conversation, have the same system prompt and the
    shorter one's text opens the longer one.
    """
    held: Example | None = None
    for example in examples:
        joined = _joined(held, example) if held else None
        if held and not joined:
            yield held
        held = joined or example
    if held:
        yield held


def _joined(first: Example, second: Example) -> Example | None:
    if not first.conversation_id or first.conversation_id != second.conversation_id:
        return None
    if first.system != second.system or len(first.turns) > len(second.turns):
        return None
    pairs = list(zip(first.turns, second.turns, strict=False))
    if any((a.role, a.content) != (b.role, b.content) for a, b in pairs):
        return None
    if any(a.trains and b.trains for a, b in pairs):
        return None  # the same answer trains in both: one of them would be lost
    turns = tuple(replace(b, trains=a.trains or b.trains) for a, b in pairs)
    about = first.fields.get("conversation_metadata")
    return replace(
        second,
        turns=turns + second.turns[len(first.turns) :],
        fields={"conversation_metadata": about} if about else {},
    )
