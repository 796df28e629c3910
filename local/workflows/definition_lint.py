"""Refuses a state machine definition that this interpreter would run differently than AWS."""

import json
import re
from collections.abc import Iterator
from typing import Any

from local.workflows import choices, intrinsics, paths
from local.workflows.tasks import LAMBDA_INVOKE

_COMMON = {"Type", "Comment", "InputPath", "OutputPath"}
_FLOW = {"Next", "End"}
_ATTEMPTS = {"Retry", "Catch", "ResultPath", "ResultSelector"}
_FIELDS: dict[str, set[str]] = {
    "Task": _COMMON | _FLOW | _ATTEMPTS | {"Resource", "Parameters", "TimeoutSeconds"},
    "Map": _COMMON
    | _FLOW
    | _ATTEMPTS
    | {"ItemsPath", "ItemSelector", "ItemProcessor", "MaxConcurrency"},
    "Choice": _COMMON | {"Choices", "Default"},
    "Wait": _COMMON | _FLOW | {"Seconds", "SecondsPath"},
    "Pass": _COMMON | _FLOW | {"Result", "Parameters", "ResultPath"},
    "Succeed": _COMMON,
    "Fail": {"Type", "Comment", "Error", "Cause"},
}
_MACHINE = {"StartAt", "States", "Comment", "TimeoutSeconds", "Version", "ProcessorConfig"}
_RETRIER = {
    "ErrorEquals",
    "IntervalSeconds",
    "MaxAttempts",
    "BackoffRate",
    "MaxDelaySeconds",
    "JitterStrategy",
    "Comment",
}
_CATCHER = {"ErrorEquals", "Next", "ResultPath", "Comment"}
_REFERRING = re.compile(
    r".*\.\$|Variable|(Input|Output|Result|Items|Seconds)Path"
    r"|(String|Numeric|Boolean|Timestamp)\w+Path"
)
"""Names of fields whose text is a path or an intrinsic call."""


def problems_in(definition: str) -> list[str]:
    """Return what this interpreter cannot run in a definition, each with the state's name."""
    try:
        machine = json.loads(definition)
    except ValueError as error:
        return [f"not JSON: {error}"]
    return list(_machine(machine, "definition"))


def _machine(machine: dict[str, Any], where: str) -> Iterator[str]:
    yield from _unknown(machine.keys() - _MACHINE, where)
    states = machine.get("States")
    if not isinstance(states, dict) or not states:
        yield f"{where}: has no States"
        return
    if machine.get("StartAt") not in states:
        yield f"{where}: StartAt names no state: {machine.get('StartAt')!r}"
    if machine.get("ProcessorConfig", {}).get("Mode", "INLINE") != "INLINE":
        yield f"{where}: only the INLINE processor mode is supported"
    for name, state in states.items():
        yield from _state(state, states, f"state {name!r}")


def _state(state: dict[str, Any], states: dict[str, Any], where: str) -> Iterator[str]:
    kind = state.get("Type", "")
    if kind not in _FIELDS:
        yield f"{where}: Type {kind!r} is not supported"
        return
    yield from _unknown(state.keys() - _FIELDS[kind], where)
    yield from _targets(state, states, where)
    if kind == "Task" and state.get("Resource") != LAMBDA_INVOKE:
        yield f"{where}: Resource must be {LAMBDA_INVOKE}, got {state.get('Resource')!r}"
    if kind == "Map":
        yield from _machine(state.get("ItemProcessor", {}), f"ItemProcessor of {where}")
    if kind == "Wait" and ("Seconds" in state) == ("SecondsPath" in state):
        yield f"{where}: needs either Seconds or SecondsPath"
    for rule in state.get("Choices", ()):
        yield from _unknown(choices.unknown_operators(rule), where)
    for rule in state.get("Retry", ()):
        yield from _unknown(rule.keys() - _RETRIER, f"Retry of {where}")
    for rule in state.get("Catch", ()):
        yield from _unknown(rule.keys() - _CATCHER, f"Catch of {where}")
    yield from _references(state, where)


def _targets(state: dict[str, Any], states: dict[str, Any], where: str) -> Iterator[str]:
    targets = [state[field] for field in ("Next", "Default") if field in state]
    targets += [rule["Next"] for rule in (*state.get("Choices", ()), *state.get("Catch", ()))]
    yield from (f"{where}: no state {target!r}" for target in targets if target not in states)
    if "Next" in _FIELDS[state["Type"]] and ("Next" in state) == bool(state.get("End")):
        yield f"{where}: needs either Next or End"


def _references(value: Any, where: str) -> Iterator[str]:
    """Check every path and intrinsic call, except in nested states, which are checked in turn."""
    if isinstance(value, list):
        for element in value:
            yield from _references(element, where)
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        if name in {"ItemProcessor", "Result"}:
            continue
        if isinstance(inner, str) and _REFERRING.fullmatch(name):
            yield from _reference(inner, f"{name} of {where}")
        else:
            yield from _references(inner, where)


def _reference(text: str, where: str) -> Iterator[str]:
    if text.startswith("States."):
        unknown = intrinsics.names_in(text) - intrinsics.SUPPORTED
        yield from (f"{where}: {name} is not supported" for name in sorted(unknown))
        return
    try:
        paths.steps_of(text.removeprefix("$") if text.startswith("$$") else text)
    except ValueError as error:
        yield f"{where}: {error}"


def _unknown(fields: set[str], where: str) -> Iterator[str]:
    yield from (f"{where}: {field} is not supported" for field in sorted(fields))
