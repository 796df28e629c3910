"""`POST /v1/messages` and `POST /v1/messages/count_tokens`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from local.claude_simulator.answers import compose
from local.claude_simulator.event_stream import event_stream
from local.claude_simulator.fault_script import Call
from local.claude_simulator.http_types import Reply, Request, Response, json_response
from local.claude_simulator.journal import fingerprint
from local.claude_simulator.message_rules import check_count, check_create
from local.claude_simulator.prompt_cache import uncached
from local.claude_simulator.state import State
from local.claude_simulator.tokens import prompt_blocks, prompt_text


@dataclass(frozen=True, slots=True)
class MessagesEndpoint:
    """Answers single calls. A request is checked first, so no fault hides a malformed one."""

    state: State

    async def create(self, request: Request, version: str) -> Reply:
        """One message, whole or streamed."""
        body = request.json_object()
        model = check_create(body, version, self.state.now())
        conversation = fingerprint(body["messages"])
        call = Call(
            "messages",
            conversation,
            attempt=self.state.journal.called(conversation),
            text=prompt_text(body["messages"]),
            model=model.id,
        )
        with self.state.journal.in_flight():
            if self.state.settings.latency_seconds:
                await asyncio.sleep(self.state.settings.latency_seconds)
            fault, ending = await self.state.undergo(call)
        if ending is not None:
            return ending
        seed = self.state.settings.seed
        message = compose(body, model, seed=seed, fault=fault, cache=self.state.cache)
        self.state.journal.answered(conversation)
        usage = message["usage"]
        headers = self.state.limits.headers(
            usage["input_tokens"] + usage["cache_creation_input_tokens"], usage["output_tokens"]
        )
        if body.get("stream"):
            media = "text/event-stream; charset=utf-8"
            return Response(200, b"", headers, media, event_stream(message))
        whole = json_response(message)
        return Response(200, whole.body, headers)

    async def count_tokens(self, request: Request, version: str) -> Reply:
        """The input tokens that a call with this body would report."""
        body = request.json_object()
        model = check_count(body, version, self.state.now())
        _, ending = await self.state.undergo(Call("count_tokens", model=model.id))
        if ending is not None:
            return ending
        return json_response({"input_tokens": uncached(prompt_blocks(body), model).total})
