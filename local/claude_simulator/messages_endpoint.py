"""`POST /v1/messages`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from local.claude_simulator.answers import compose, malformed
from local.claude_simulator.fault_script import Call
from local.claude_simulator.http_types import Reply, Request, json_response
from local.claude_simulator.journal import fingerprint
from local.claude_simulator.message_rules import check_create
from local.claude_simulator.state import State


@dataclass(frozen=True, slots=True)
class MessagesEndpoint:
    """Answers single calls. A request is checked first, so no fault hides a malformed one."""

    state: State

    async def create(self, request: Request, version: str) -> Reply:
        """One message."""
        body = request.json_object()
        model = check_create(body, version, self.state.now())
        cached = self.state.cache.look_up(body, model, self.state.now())
        conversation = fingerprint(body["messages"])
        self.state.journal.called(conversation)
        with self.state.journal.in_flight():
            if self.state.settings.latency_seconds:
                await asyncio.sleep(self.state.settings.latency_seconds)
            fault, ending = self.state.apply_fault(Call("messages"))
        if ending is not None:
            return ending
        message = compose(body, model, seed=self.state.settings.seed, fault=fault, cached=cached)
        self.state.cache.write(body, model, self.state.now())
        self.state.journal.answered(conversation)
        if fault is not None and fault.malformed is not None:
            return malformed(fault.malformed, message)
        return json_response(message)
