"""The state machine's text as it is deployed, and a walk over its states."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TEXT = Path(__file__).parents[2] / "infra" / "state_machines" / "generate_batch.asl.json"
FUNCTIONS = {"ProcessNextFunctionArn": "process-next", "FinishBatchFunctionArn": "finish-batch"}

State = dict[str, Any]
Machine = dict[str, Any]


def definition() -> str:
    """The text with the functions' ARNs in the place of its two placeholders."""
    text = TEXT.read_text(encoding="utf-8")
    for placeholder, name in FUNCTIONS.items():
        arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
        text = text.replace(f"${{{placeholder}}}", arn)
    return text


def machines(machine: Machine) -> Iterator[Machine]:
    """The machine, and those inside its Map states."""
    yield machine
    for state in machine["States"].values():
        if "ItemProcessor" in state:
            yield from machines(state["ItemProcessor"])


def states(machine: Machine) -> Iterator[tuple[str, State]]:
    """Every state with its name, those inside Map states too."""
    for one in machines(machine):
        yield from one["States"].items()


def successors(state: State) -> list[str]:
    """The states that may follow, in the order of the text."""
    named = [state[field] for field in ("Next", "Default") if field in state]
    return [
        *(rule["Next"] for rule in (*state.get("Choices", ()), *state.get("Catch", ()))),
        *named,
    ]


def tries(state: State) -> int:
    """How often a Task is tried at most."""
    return 1 + sum(int(rule["MaxAttempts"]) for rule in state.get("Retry", ()))


def parsed() -> Machine:
    """The definition as an object."""
    machine: Machine = json.loads(definition())
    return machine
