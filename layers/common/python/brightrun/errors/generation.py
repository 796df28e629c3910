"""Failures of writing conversations: of the work on an item, and of calling Claude."""

from __future__ import annotations

from brightrun.errors.base import BrightRunError


class LeaseLostError(BrightRunError):
    """The item's lease has passed to another worker, or the item has ended."""

    code = "lease_lost"


class ClaimsClosedError(BrightRunError):
    """The job takes no claims now: it is paused, cancelled, finished or stopping."""

    code = "claims_closed"


class ConversationRefusedError(BrightRunError):
    """Claude's answer cannot be stored as a conversation.

    `failure_type` is truncation, parse_error or validation_error, as in the failed-generation
    records; `reason` is the named reason; `pattern` names the truncation pattern, if any.
    """

    code = "conversation_refused"

    def __init__(
        self, failure_type: str, reason: str, message: str, *, pattern: str | None = None
    ) -> None:
        super().__init__(message, details={"reason": reason})
        self.failure_type = failure_type
        self.reason = reason
        self.pattern = pattern


class ClaudeCallError(BrightRunError):
    """The call to Claude failed.

    `retryable`: trying again may help. `overloaded`: the whole service is busy, so nobody should
    call before `retry_after_s`. `fatal`: no call of this job can succeed (key, billing, model).
    """

    code = "claude_call_failed"

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        status: int | None = None,
        retryable: bool = False,
        overloaded: bool = False,
        fatal: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, details={"reason": reason, "status": status})
        self.reason = reason
        self.status = status
        self.retryable = retryable
        self.overloaded = overloaded
        self.fatal = fatal
        self.retry_after_s = retry_after_s


class ClaudeNotSetUpError(BrightRunError):
    """The deployment lacks what calling Claude takes; the message says what, and where it goes."""

    code = "claude_not_set_up"
