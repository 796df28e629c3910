"""The flags of a conversation: what a person must see before it is trained on, in any domain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from brightrun.conversations.quality.directives import directive_flags
from brightrun.conversations.quality.model import TurnFlag
from brightrun.conversations.quality.safety import crisis_flags
from brightrun.conversations.quality.text_faults import text_flags
from brightrun.conversations.quality.transcript import utterances


def turn_flags(turns: Sequence[Any]) -> list[TurnFlag]:
    """The flags of turns, which may not have been validated, in order of the turns."""
    said = utterances(turns)
    flags = [*directive_flags(said), *crisis_flags(said), *text_flags(said)]
    return sorted(flags, key=lambda flag: flag.turn_number)
