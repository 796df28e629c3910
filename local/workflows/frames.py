"""What every state does with its data: narrow the input, place the result, narrow the output."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local.workflows import paths
from local.workflows.cancellation import Cancellation
from local.workflows.templates import fill

State = dict[str, Any]
Step = tuple[Any, str | None]
"""A state's output and the name of the state after it, None at the end."""


@dataclass(frozen=True)
class Frame:
    """The context object and scope of a run of states; ``entered`` is called at each state."""

    context: dict[str, Any]
    scope: Cancellation
    entered: Callable[[str, Any], None] = field(default=lambda _name, _value: None)


def input_of(state: State, value: Any, frame: Frame) -> Any:
    """Return the part of a state's raw input that InputPath selects."""
    return narrow(state, "InputPath", value, frame)


def parameters_of(state: State, data: Any, frame: Frame) -> Any:
    """Return what a state works on: its Parameters filled in, its input when it has none."""
    return fill(state["Parameters"], data, frame.context) if "Parameters" in state else data


def output_of(state: State, value: Any, result: Any, frame: Frame) -> Any:
    """Apply ResultSelector, ResultPath (onto the raw input) and OutputPath to a state's result."""
    if "ResultSelector" in state:
        result = fill(state["ResultSelector"], result, frame.context)
    placed = paths.write(state.get("ResultPath", "$"), value, result)
    return narrow(state, "OutputPath", placed, frame)


def narrow(state: State, path_field: str, value: Any, frame: Frame) -> Any:
    """Apply InputPath or OutputPath: null gives an empty object, absence everything."""
    path = state.get(path_field, "$")
    return {} if path is None else paths.read(path, value, frame.context)
