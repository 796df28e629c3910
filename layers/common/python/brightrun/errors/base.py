"""The trunk of the tree that errors/__init__.py shows, and what belongs to no branch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class BrightRunError(Exception):
    """A failure with a sentence for people, a stable code for machines, and details."""

    code = "error"

    def __init__(self, message: str, *, details: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class NotFoundError(BrightRunError):
    """The record does not exist for this owner; says the same when it is another owner's."""

    code = "not_found"

    def __init__(self, kind: str, identifier: str) -> None:
        super().__init__(f"There is no {kind} with the id '{identifier}'.")
        self.kind = kind
        self.identifier = identifier


class UnknownScaffoldingError(NotFoundError):
    """No persona, arc, topic or template by that id or key; names near matches."""

    code = "unknown_scaffolding"

    def __init__(self, kind: str, value: str, near_matches: Sequence[str] = ()) -> None:
        super().__init__(kind, value)
        hint = f" Did you mean {', '.join(near_matches)}?" if near_matches else ""
        self.message = f"There is no {kind} with the id or key '{value}'.{hint}"
        self.args = (self.message,)
        self.details = {"kind": kind, "value": value, "near_matches": list(near_matches)}


class InvalidInputError(BrightRunError):
    """The request is well formed but cannot be carried out as asked."""

    code = "invalid_input"


class ConflictError(BrightRunError):
    """Somebody else was first; `details` carry the current state of the record."""

    code = "conflict"


class IdempotencyKeyReusedError(BrightRunError):
    """The same Idempotency-Key came with another request."""

    code = "idempotency_key_reused"


class StorageError(BrightRunError):
    """An AWS service behind a repository or gateway failed; the cause is chained."""

    code = "storage_unavailable"

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(f"{operation} failed: {reason}.")
        self.details: Mapping[str, str] = {"operation": operation}
