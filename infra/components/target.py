"""What a function may be pointed at: an ARN and the environment variable that names it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """One resource for a function: `arn` goes into its role, `value` into its environment."""

    arn: str
    variable: str
    value: str
