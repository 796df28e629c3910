"""Reading an execution's history: which states were entered, by which edges, after which events."""

from __future__ import annotations

from collections import Counter
from typing import Any

Event = dict[str, Any]
Edge = tuple[str, str]


def entered(history: list[Event]) -> Counter[str]:
    """How often each state was entered."""
    return Counter(name for event in history if (name := _name(event, "Entered")))


def types(history: list[Event]) -> Counter[str]:
    """How many events there are of each type."""
    return Counter(event["type"] for event in history)


def edges(history: list[Event]) -> set[Edge]:
    """The pairs of states that followed each other, and (state, "Retry") for a task tried again."""
    by_id = {event["id"]: event for event in history}
    taken: set[Edge] = set()
    for event in history:
        if name := _name(event, "Entered"):
            taken.add((_before(event, by_id), name))
        if event["type"] == "TaskScheduled" and by_id[event["previousEventId"]]["type"].endswith(
            "Failed"
        ):
            taken.add((_before(event, by_id), "Retry"))
    return {edge for edge in taken if edge[0]}


def _before(event: Event, by_id: dict[int, Event]) -> str:
    """The state that was entered last before an event, along the chain of its causes."""
    while event["previousEventId"]:
        event = by_id[event["previousEventId"]]
        if name := _name(event, "Entered"):
            return name
    return ""


def _name(event: Event, end: str) -> str:
    details = event.get(f"state{end}EventDetails", {})
    return str(details.get("name", ""))
