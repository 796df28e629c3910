"""Conversations with one scripted defect, each of a kind that a generator must refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.claude_simulator.conversation.scaffolding import Scaffolding
from local.claude_simulator.faults import Defect

Turns = list[dict[str, Any]]


def extra_exchanges(defect: Defect | None, scaffolding: Scaffolding) -> int:
    """How many exchanges to write beyond the range, so that the turns become too many."""
    if defect != "too_many_turns":
        return 0
    return scaffolding.max_exchanges - scaffolding.min_exchanges + 2


def apply_defect(conversation: dict[str, Any], defect: Defect, scaffolding: Scaffolding) -> None:
    """Give a conversation the defect, in place; `too_many_turns` is written, not applied."""
    turns: Turns = conversation["turns"]
    if defect == "too_few_turns":
        # Even turns, one exchange below the range; a range that starts at one leaves no turns.
        del turns[2 * (scaffolding.min_exchanges - 1) :]
    elif defect in _CHANGES:
        _CHANGES[defect](turns)


def _role_order(turns: Turns) -> None:
    turns[0]["role"], turns[1]["role"] = turns[1]["role"], turns[0]["role"]


def _ends_on_user(turns: Turns) -> None:
    turns.pop()


def _repeated_turn(turns: Turns) -> None:
    turns[-1]["content"] = turns[1]["content"]


def _empty_turn(turns: Turns) -> None:
    turns[1]["content"] = ""


def _trailing_backslash(turns: Turns) -> None:
    content = turns[-1]["content"]
    turns[-1]["content"] = content[: len(content) * 2 // 3] + "\\"


def _literal_newlines(turns: Turns) -> None:
    for turn in turns:
        turn["content"] = turn["content"].replace(". ", ".\\n\\n", 1)


_CHANGES: dict[str, Callable[[Turns], None]] = {
    "role_order": _role_order,
    "ends_on_user": _ends_on_user,
    "repeated_turn": _repeated_turn,
    "empty_turn": _empty_turn,
    "trailing_backslash": _trailing_backslash,
    "literal_newlines": _literal_newlines,
}
