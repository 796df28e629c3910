"""Reading an execution's history: which states were entered, in which order, after which events."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.workflows.definition import Edge

Event = dict[str, Any]


def entered(history: list[Event]) -> Counter[str]:
    """How often each state was entered."""
    return Counter(name for event in history if (name := _entered(event)))


def types(history: list[Event]) -> Counter[str]:
    """How many events there are of each type."""
    return Counter(event["type"] for event in history)


def edges(history: list[Event]) -> set[Edge]:
    """The pairs of states that followed each other, and (state, "Retry") for a task tried again.

    Only for histories in which one state runs at a time.
    """
    taken: set[Edge] = set()
    state, failed = "", False
    for event in history:
        if name := _entered(event):
            taken.add((state, name))
            state = name
        if event["type"] == "TaskScheduled" and failed:
            taken.add((state, "Retry"))
        failed = event["type"] in {"TaskFailed", "TaskTimedOut"}
    return {edge for edge in taken if edge[0]}


def _entered(event: Event) -> str:
    return str(event.get("stateEnteredEventDetails", {}).get("name", ""))
