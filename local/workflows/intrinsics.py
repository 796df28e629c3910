"""Intrinsic functions in payload templates, such as ``States.MathAdd($.round, 1)``."""

import json
import re
from collections.abc import Callable
from typing import Any

from local.workflows import paths
from local.workflows.failures import INTRINSIC_FAILURE, PARAMETER_PATH_FAILURE, StateFailed

_CALL = re.compile(r"(States\.\w+)\(")
_ARGUMENT = re.compile(r"'((?:[^'\\]|\\.)*)'|(\$[^\s,()]*)|(-?\d+(?:\.\d+)?)|(true|false|null)")
_LITERALS = {"true": True, "false": False, "null": None}


def _format(template: str, *values: Any) -> str:
    pieces = template.split("{}")
    if len(pieces) != len(values) + 1:
        raise ValueError(f"{len(pieces) - 1} placeholders, {len(values)} values")
    texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
    return "".join(piece + text for piece, text in zip(pieces, [*texts, ""], strict=True))


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "States.Array": lambda *values: list(values),
    "States.ArrayLength": len,
    "States.Format": _format,
    "States.JsonToString": json.dumps,
    "States.MathAdd": lambda first, second: int(first) + int(second),
    "States.StringToJson": json.loads,
}
SUPPORTED = frozenset(_FUNCTIONS)


def names_in(expression: str) -> set[str]:
    """Return the names of the functions that an expression calls."""
    return set(_CALL.findall(expression))


def evaluate(expression: str, data: Any, context: dict[str, Any]) -> Any:
    """Return the value of an intrinsic call over the state's input and the context object.

    Raises StateFailed (States.IntrinsicFailure) when it cannot be parsed or its arguments do not
    fit, and States.ParameterPathFailure when a path in it leads nowhere.
    """
    try:
        value, end = _evaluate_at(expression, 0, data, context)
    except (ValueError, TypeError, KeyError) as problem:
        raise StateFailed(INTRINSIC_FAILURE, f"{expression}: {problem}") from None
    if expression[end:].strip():
        raise StateFailed(INTRINSIC_FAILURE, f"{expression}: unexpected {expression[end:]!r}")
    return value


def _evaluate_at(text: str, start: int, data: Any, context: dict[str, Any]) -> tuple[Any, int]:
    call = _CALL.match(text, start)
    if call is None:
        return _argument_at(text, start, data, context)
    arguments, position = [], _skip_spaces(text, call.end())
    while not text.startswith(")", position):
        value, position = _evaluate_at(text, position, data, context)
        arguments.append(value)
        position = _skip_spaces(text, position)
        if text.startswith(",", position):
            position = _skip_spaces(text, position + 1)
        elif not text.startswith(")", position):
            raise ValueError(f"expected , or ) at {text[position:]!r}")
    return _FUNCTIONS[call.group(1)](*arguments), position + 1


def _argument_at(text: str, start: int, data: Any, context: dict[str, Any]) -> tuple[Any, int]:
    argument = _ARGUMENT.match(text, start)
    if argument is None:
        raise ValueError(f"cannot read {text[start:]!r}")
    quoted, path, number, literal = argument.groups()
    if path is not None:
        return paths.read(path, data, context, error=PARAMETER_PATH_FAILURE), argument.end()
    if number is not None:
        return (float(number) if "." in number else int(number)), argument.end()
    if literal is not None:
        return _LITERALS[literal], argument.end()
    return re.sub(r"\\(.)", r"\1", quoted), argument.end()


def _skip_spaces(text: str, position: int) -> int:
    while text.startswith(" ", position):
        position += 1
    return position
