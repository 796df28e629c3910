"""Payload templates: Parameters, ItemSelector and ResultSelector."""

from typing import Any

from local.workflows import intrinsics, paths
from local.workflows.failures import PARAMETER_PATH_FAILURE


def fill(template: Any, data: Any, context: dict[str, Any]) -> Any:
    """Return a payload template with every ``name.$`` field replaced by the value it refers to.

    Raises StateFailed: States.ParameterPathFailure for a path that leads nowhere,
    States.IntrinsicFailure for an intrinsic call that fails.
    """
    if isinstance(template, list):
        return [fill(element, data, context) for element in template]
    if not isinstance(template, dict):
        return template
    filled = {}
    for name, value in template.items():
        if name.endswith(".$"):
            filled[name.removesuffix(".$")] = _refer(value, data, context)
        else:
            filled[name] = fill(value, data, context)
    return filled


def _refer(reference: str, data: Any, context: dict[str, Any]) -> Any:
    if reference.startswith("States."):
        return intrinsics.evaluate(reference, data, context)
    return paths.read(reference, data, context, error=PARAMETER_PATH_FAILURE)
