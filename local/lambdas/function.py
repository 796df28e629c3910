"""A deployed function, and the result of an invocation."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
"""The largest request or response of a synchronous invocation. Source: Lambda quotas."""


@dataclass(frozen=True)
class Function:
    """A deployed function: the paths of its code, its environment and its limits."""

    name: str
    arn: str
    handler: str
    path: tuple[Path, ...]
    environment: Mapping[str, str]
    timeout_seconds: float
    memory_mb: int
    log_file: Path

    @property
    def layers(self) -> tuple[Path, ...]:
        """The folders of its layers, which come after that of its own code."""
        return self.path[1:]


@dataclass(frozen=True)
class Invocation:
    """The outcome of an invocation: the handler's result, or Lambda's error object."""

    payload: Any
    failed: bool = False


def failure(error_type: str, message: str) -> Invocation:
    """Return the outcome of an invocation that Lambda itself ended."""
    return Invocation({"errorMessage": message, "errorType": error_type}, failed=True)
