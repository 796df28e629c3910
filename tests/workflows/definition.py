"""The definitions of the state machines as they are deployed, and a walk over their states."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "infra" / "state_machines"

State = dict[str, Any]
Machine = dict[str, Any]
Edge = tuple[str, str]


@dataclass(frozen=True)
class Definition:
    """One definition; `functions` are its Lambda functions by the placeholder of their ARN."""

    name: str
    functions: Mapping[str, str]

    def text(self) -> str:
        """The text with the functions' ARNs in the place of its placeholders."""
        text = (FOLDER / f"{self.name}.asl.json").read_text(encoding="utf-8")
        for placeholder, name in self.functions.items():
            arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
            text = text.replace(f"${{{placeholder}}}", arn)
        return text

    def parsed(self) -> Machine:
        """The definition as an object."""
        machine: Machine = json.loads(self.text())
        return machine


GENERATE_BATCH = Definition(
    "generate_batch",
    {"ProcessNextFunctionArn": "process-next", "FinishBatchFunctionArn": "finish-batch"},
)
TRAIN_ADAPTER = Definition(
    "train_adapter",
    {
        "StartTrainingFunctionArn": "start-training",
        "WatchTrainingFunctionArn": "watch-training",
        "FinishTrainingFunctionArn": "finish-training",
    },
)
BUILD_TRAINING_FILE = Definition(
    "build_training_file", {"BuildTrainingFileFunctionArn": "build-training-file"}
)
VALIDATE_DATASET = Definition(
    "validate_dataset", {"ValidateDatasetFunctionArn": "validate-dataset"}
)


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


def reachable(machine: Machine) -> set[str]:
    """The states of a machine that its first state can lead to."""
    seen: set[str] = set()
    ahead = [machine["StartAt"]]
    while ahead:
        name = ahead.pop()
        if name not in seen:
            seen.add(name)
            ahead += successors(machine["States"][name])
    return seen


def all_edges(machine: Machine) -> set[Edge]:
    """Every pair of states that may follow each other; (state, "Retry") for those tried again."""
    named = list(states(machine))
    every = {(name, following) for name, state in named for following in successors(state)}
    return every | {(name, "Retry") for name, state in named if "Retry" in state}


def tries(state: State) -> int:
    """How often a Task is tried at most."""
    return 1 + sum(int(rule["MaxAttempts"]) for rule in state.get("Retry", ()))
