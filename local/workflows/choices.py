"""Choice rules: comparisons over the state's input, joined by And, Or and Not."""

import operator
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from local.workflows import paths

_COMPARISON = re.compile(
    r"(String|Numeric|Boolean|Timestamp)"
    r"(Equals|LessThanEquals|LessThan|GreaterThanEquals|GreaterThan|Matches)(Path)?"
)
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}
_TESTS = frozenset({"IsPresent", "IsNull", "IsNumeric", "IsString", "IsBoolean", "IsTimestamp"})
_JOINS = frozenset({"And", "Or", "Not"})
_RULE_FIELDS = frozenset({"Variable", "Next", "Comment"})


def unknown_operators(rule: dict[str, Any]) -> set[str]:
    """Return the fields of a rule, nested rules included, that are no known operator."""
    unknown = {
        name
        for name in rule.keys() - _RULE_FIELDS - _TESTS - _JOINS
        if _COMPARISON.fullmatch(name) is None
    }
    nested = [*rule.get("And", ()), *rule.get("Or", ()), *([rule["Not"]] if "Not" in rule else ())]
    return unknown.union(*(unknown_operators(inner) for inner in nested))


def holds(rule: dict[str, Any], data: Any, context: dict[str, Any]) -> bool:
    """Tell whether a choice rule holds.

    Values of another type than the operator's never match. Raises StateFailed (States.Runtime)
    when a compared path leads nowhere; only IsPresent may ask about such a path.
    """
    if "And" in rule:
        return all(holds(inner, data, context) for inner in rule["And"])
    if "Or" in rule:
        return any(holds(inner, data, context) for inner in rule["Or"])
    if "Not" in rule:
        return not holds(rule["Not"], data, context)
    name = next(field for field in rule if field not in _RULE_FIELDS)
    if name == "IsPresent":
        return paths.exists(rule["Variable"], data, context) is rule[name]
    value = paths.read(rule["Variable"], data, context)
    if name in _TESTS:
        return _has_type(name.removeprefix("Is"), value) is rule[name]
    return _compare(name, value, rule[name], data, context)


def _compare(name: str, value: Any, other: Any, data: Any, context: dict[str, Any]) -> bool:
    kind, comparison, by_path = _COMPARISON.fullmatch(name).groups()  # type: ignore[union-attr]
    if by_path:
        other = paths.read(other, data, context)
    if not (_has_type(kind, value) and _has_type(kind, other)):
        return False
    if comparison == "Matches":
        return re.fullmatch(re.escape(other).replace(r"\*", ".*"), value, re.DOTALL) is not None
    if kind == "Timestamp":
        value, other = _timestamp(value), _timestamp(other)
    return _OPERATORS[comparison](value, other)


def _has_type(kind: str, value: Any) -> bool:
    if kind == "Null":
        return value is None
    if kind == "Boolean":
        return isinstance(value, bool)
    if kind == "Numeric":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "Timestamp":
        return _timestamp(value) is not None
    return isinstance(value, str)


def _timestamp(value: Any) -> datetime | None:
    try:
        timestamp = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return timestamp if timestamp.tzinfo else None
