"""Whether policies allow a request, decided as IAM does it.

Source: "Policy evaluation logic" and "IAM JSON policy elements" in the IAM user guide. What no
policy here uses raises NotImplementedError, so that nothing is allowed by being overlooked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

Statement = Mapping[str, Any]

ELEMENTS = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
ARN_PARTS = 6


@dataclass(frozen=True)
class Request:
    """An action on a resource, which is `*` where the action knows none, and its condition keys."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict, hash=False)


def allows(statements: Iterable[Statement], request: Request) -> bool:
    """An explicit deny beats every allow, and what nothing allows is denied."""
    effects = {one["Effect"] for one in statements if applies(one, request)}
    return effects == {"Allow"}


def applies(statement: Statement, request: Request) -> bool:
    """Whether a statement speaks of the request; its principal is the caller's to compare."""
    if unknown := statement.keys() - ELEMENTS:
        raise NotImplementedError(f"{sorted(unknown)} in a statement")
    return (
        any(_matches(one.lower(), request.action.lower()) for one in listed(statement["Action"]))
        # A trust policy has no resource: it belongs to the one that it is attached to.
        and any(
            arn_matches(one, request.resource) for one in listed(statement.get("Resource", "*"))
        )
        and all(
            _holds(operator, key, values, request.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def arn_matches(pattern: str, arn: str) -> bool:
    """A wildcard stays within its part of an ARN, but for the last one, which may hold colons."""
    if pattern == "*" or arn == "*":
        return pattern == "*"
    patterns, parts = pattern.split(":", ARN_PARTS - 1), arn.split(":", ARN_PARTS - 1)
    return len(patterns) == len(parts) and all(map(_matches, patterns, parts))


def listed(value: Any) -> list[Any]:
    """A policy writes a list of one element as the element."""
    return value if isinstance(value, list) else [value]


def _holds(operator: str, key: str, expected: Any, context: Mapping[str, str]) -> bool:
    if operator not in OPERATORS:
        raise NotImplementedError(f"condition operator {operator}")
    found = context.get(key)
    compare = OPERATORS[operator]
    return found is not None and any(compare(str(one), found) for one in listed(expected))


def _matches(pattern: str, text: str) -> bool:
    return _expression(pattern).fullmatch(text) is not None


OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda expected, found: expected == found,
    "StringLike": _matches,
    "ArnLike": arn_matches,
    "Bool": lambda expected, found: expected.lower() == found.lower(),
    "NumericLessThan": lambda expected, found: float(found) < float(expected),
}


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    escaped = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(escaped, re.DOTALL)
