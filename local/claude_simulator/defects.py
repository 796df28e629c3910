"""Conversations with one scripted defect, each of a kind that a generator must refuse."""

from __future__ import annotations

from typing import Any

from local.claude_simulator.conversation.scaffolding import Scaffolding
from local.claude_simulator.faults import Defect


def extra_exchanges(defect: Defect | None, scaffolding: Scaffolding) -> int:
    """How many exchanges to write beyond the range, so that the turns become too many."""
    if defect != "too_many_turns":
        return 0
    return scaffolding.max_exchanges - scaffolding.min_exchanges + 2


def apply_defect(conversation: dict[str, Any], defect: Defect) -> None:
    """Apply the defect in place; `too_many_turns` is written with extra_exchanges instead."""
    turns = conversation["turns"]
    if defect == "ends_on_user":
        turns.pop()
    elif defect == "trailing_backslash":
        content = turns[-1]["content"]
        turns[-1]["content"] = content[: len(content) * 2 // 3] + "\\"
