"""What all endpoints of one simulated API share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from local.claude_simulator.api_errors import ApiError
from local.claude_simulator.fault_script import Call, FaultScript
from local.claude_simulator.faults import Fault
from local.claude_simulator.http_types import Hang, Reset
from local.claude_simulator.journal import Journal
from local.claude_simulator.prompt_cache import PromptCache

Clock = Callable[[], datetime]

_MESSAGES = {
    401: "invalid x-api-key",
    402: "Your credit balance is too low to access the API.",
    429: "This request would exceed your organization's rate limit.",
    500: "Internal server error",
    529: "Overloaded",
}


def utc_now() -> datetime:
    """The current time, in UTC."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Settings:
    """How the simulator behaves; latency is seconds per message.

    `batch_polls` is how many retrievals a batch is in progress for before it has ended.
    """

    seed: int = 0
    latency_seconds: float = 0.0
    batch_polls: int = 1
    clock: Clock = utc_now


@dataclass(slots=True)
class State:
    """Settings, scripted faults and everything that is counted."""

    settings: Settings
    journal: Journal = field(default_factory=Journal)
    faults: FaultScript = field(default_factory=FaultScript)
    cache: PromptCache = field(default_factory=PromptCache)

    def now(self) -> datetime:
        """The time that retirements and batches are judged by."""
        return self.settings.clock()

    def clear(self) -> None:
        """Forget scripted faults, counts and cached prompts."""
        self.faults.clear()
        self.journal.clear()
        self.cache.clear()

    def apply_fault(self, call: Call) -> tuple[Fault | None, Hang | Reset | None]:
        """Use up the next fault that matches `call`.

        Returns the fault, for its effect on the content, and how the connection ends, if it does.
        Raises the ApiError of a fault with a status.
        """
        fault = self.faults.next(call)
        if fault is None:
            return None, None
        raise_status(fault)
        if fault.hang_seconds is not None:
            return fault, Hang(fault.hang_seconds)
        return fault, Reset() if fault.reset else None


def raise_status(fault: Fault) -> None:
    """Raise the ApiError that a fault with a status asks for."""
    if fault.status is None:
        return
    headers: dict[str, str] = {}
    if fault.retry_after is not None:
        asked = fault.retry_after
        headers["retry-after"] = asked if isinstance(asked, str) else f"{asked:g}"
    if fault.should_retry is not None:
        headers["x-should-retry"] = str(fault.should_retry).lower()
    message = fault.message or _MESSAGES.get(fault.status, "Scripted fault")
    raise ApiError(fault.status, message, error_code=fault.error_code, headers=headers)
