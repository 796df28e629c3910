"""The text of TrainAdapter, and a walk over its states."""

from __future__ import annotations

import json
from typing import Any

from tests.workflows.definition import State, successors
from tests.workflows.histories import Edge
from tests.workflows.training_system import definition


def parsed() -> dict[str, Any]:
    """The definition as an object."""
    machine: dict[str, Any] = json.loads(definition())
    return machine


def states() -> dict[str, State]:
    """Every state by its name."""
    found: dict[str, State] = parsed()["States"]
    return found


def all_edges() -> set[Edge]:
    """Every pair of states that may follow each other; (state, "Retry") for those tried again."""
    named = states()
    every = {(name, following) for name, state in named.items() for following in successors(state)}
    return every | {(name, "Retry") for name, state in named.items() if "Retry" in state}
