"""Reference paths such as ``$.jobs[0].id``: reading a value, writing a result."""

import copy
import functools
import re
from typing import Any

from local.workflows.failures import RUNTIME, StateFailed

_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\[(\d+)\]|\['([^']+)'\]")


@functools.lru_cache(maxsize=1024)
def steps_of(path: str) -> tuple[str | int, ...]:
    """Split a reference path into field names and indexes.

    Raises ValueError for anything but ``$`` followed by ``.name``, ``[0]`` or ``['name']`` steps:
    wildcards, slices and filters are outside the subset.
    """
    if not path.startswith("$"):
        raise ValueError(f"{path!r} is not a reference path: it must start with $")
    steps: list[str | int] = []
    position = 1
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            raise ValueError(f"{path!r} is not a reference path: cannot read {path[position:]!r}")
        name, index, quoted = step.groups()
        steps.append(int(index) if index is not None else name or quoted)
        position = step.end()
    return tuple(steps)


def exists(path: str, data: Any, context: dict[str, Any]) -> bool:
    """Tell whether a path leads to a value, null included."""
    try:
        _walk(path, data, context)
    except LookupError:
        return False
    return True


def read(path: str, data: Any, context: dict[str, Any], *, error: str = RUNTIME) -> Any:
    """Return the value a path leads to; ``$$`` paths read the context object.

    Raises StateFailed with the given error name when there is none.
    """
    try:
        return _walk(path, data, context)
    except LookupError:
        raise StateFailed(
            error, f"The JSONPath '{path}' could not be found in the state's input."
        ) from None


def write(path: str | None, data: Any, result: Any) -> Any:
    """Place a result into a state's input by ResultPath; ``$`` replaces it, None drops the result.

    Missing objects on the way are created. Raises StateFailed when the path runs through a value
    that is not an object.
    """
    if path is None:
        return data
    steps = steps_of(path)
    if not steps:
        return result
    whole = copy.deepcopy(data)
    place = whole
    for position, step in enumerate(steps):
        if not isinstance(place, dict):
            raise StateFailed(
                "States.ResultPathMatchFailure",
                f"Unable to apply ResultPath '{path}': it runs through a value that is no object.",
            )
        if position == len(steps) - 1:
            place[str(step)] = result
        else:
            place = place.setdefault(str(step), {})
    return whole


def _walk(path: str, data: Any, context: dict[str, Any]) -> Any:
    value, reference = (context, path[1:]) if path.startswith("$$") else (data, path)
    for step in steps_of(reference):
        if isinstance(step, int) != isinstance(value, list):
            raise LookupError(step)
        if not isinstance(value, dict | list):
            raise LookupError(step)
        value = value[step]  # type: ignore[index]
    return value
