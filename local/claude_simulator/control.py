"""The endpoints under `/_simulator/`, for tests that script a running simulator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from local.claude_simulator.api_errors import invalid
from local.claude_simulator.faults import FaultScriptError, parse_faults
from local.claude_simulator.http_types import Reply, Request, json_response
from local.claude_simulator.state import State


@dataclass(frozen=True, slots=True)
class ControlEndpoint:
    """Reads the journal, scripts faults and resets; needs no key."""

    state: State
    reset_all: Callable[[], None]

    async def journal(self, _request: Request, _version: str) -> Reply:
        """The counts of the journal and the number of pending faults."""
        counts = self.state.journal.snapshot()
        return json_response(counts | {"pending_faults": self.state.faults.pending})

    async def faults(self, request: Request, _version: str) -> Reply:
        """Append a JSON list of faults; ApiError 400 names the entry that is wrong."""
        try:
            faults = parse_faults(request.json_value())
        except FaultScriptError as error:
            raise invalid(str(error)) from error
        self.state.faults.extend(faults)
        return json_response({"accepted": len(faults), "pending_faults": self.state.faults.pending})

    async def reset(self, _request: Request, _version: str) -> Reply:
        """Forget faults, counts and batches."""
        self.reset_all()
        return json_response({"reset": True})
