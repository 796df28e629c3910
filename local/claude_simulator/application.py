"""The simulated API: checks every request, routes it to its endpoint, marks the answer."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from local.claude_simulator.api_errors import ApiError, invalid
from local.claude_simulator.batches_endpoint import BatchesEndpoint
from local.claude_simulator.control import ControlEndpoint
from local.claude_simulator.http_types import Reply, Request, Reset, Response
from local.claude_simulator.message_rules import VERSIONS
from local.claude_simulator.messages_endpoint import MessagesEndpoint
from local.claude_simulator.state import Settings, State

_log = logging.getLogger(__name__)

# Limits of the API by endpoint, in bytes: 32 MB for a request, 256 MB for a batch.
_REQUEST_LIMIT = 32 * 1024 * 1024
_BATCH_LIMIT = 256 * 1024 * 1024
_BATCHES = "/v1/messages/batches"
_CONTROL = "/_simulator/"
_MARK = {"x-brightrun-simulated": "1", "anthropic-organization-id": "org_simulated"}

Handler = Callable[..., Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    path: re.Pattern[str]
    name: str
    handler: Handler


class SimulatedApi:
    """Everything behind the HTTP server; one instance holds one simulated organization."""

    def __init__(self, settings: Settings) -> None:
        self.state = State(settings)
        self._batches = BatchesEndpoint(self.state)
        self._routes = self._table()

    def reset(self) -> None:
        """Forget faults, counts and batches."""
        self.state.clear()
        self._batches.clear()

    def body_limit(self, path: str) -> int:
        """The largest accepted body of a path, in bytes."""
        return _BATCH_LIMIT if path == _BATCHES else _REQUEST_LIMIT

    async def handle(self, request: Request) -> Reply:
        """Answer one request, errors in the API's envelope, and count it in the journal."""
        request_id = f"req_sim_{secrets.token_hex(12)}"
        name = "unknown"
        try:
            route, parameters = self._find(request)
            name = route.name
            version = self._admit(request)
            reply = await route.handler(request, version, *parameters)
        except ApiError as error:
            _log.warning("%s %s is refused with %d.", request.method, request.path, error.status)
            reply = Response(error.status, error.body(request_id), error.headers)
        if not isinstance(reply, Response):
            self.state.journal.record(name, "reset" if isinstance(reply, Reset) else "hang")
            return reply
        self.state.journal.record(name, reply.status)
        return replace(reply, headers={"request-id": request_id, **_MARK, **reply.headers})

    def _table(self) -> tuple[_Route, ...]:
        messages = MessagesEndpoint(self.state)
        batches = self._batches
        control = ControlEndpoint(self.state, self.reset)
        one = rf"{_BATCHES}/(msgbatch_\w+)"
        table: tuple[tuple[str, str, str, Handler], ...] = (
            ("POST", "/v1/messages", "messages", messages.create),
            ("POST", _BATCHES, "batches", batches.create),
            ("GET", _BATCHES, "batches", batches.list),
            ("GET", one, "batches", batches.retrieve),
            ("DELETE", one, "batches", batches.delete),
            ("POST", f"{one}/cancel", "batches", batches.cancel),
            ("GET", f"{one}/results", "batches", batches.results),
            ("GET", f"{_CONTROL}journal", "control", control.journal),
            ("POST", f"{_CONTROL}faults", "control", control.faults),
            ("POST", f"{_CONTROL}reset", "control", control.reset),
        )
        return tuple(
            _Route(method, re.compile(path), name, handler) for method, path, name, handler in table
        )

    def _find(self, request: Request) -> tuple[_Route, tuple[str, ...]]:
        known_path = False
        for route in self._routes:
            if match := route.path.fullmatch(request.path):
                if route.method == request.method:
                    return route, match.groups()
                known_path = True
        if known_path:
            raise ApiError(405, f"Method {request.method} is not allowed for {request.path}.")
        raise ApiError(404, f"Not Found: {request.path}")

    def _admit(self, request: Request) -> str:
        """The API version of an admissible request; ApiError 401, 400, 411 or 413 otherwise."""
        headers = request.headers
        if request.oversized:
            limit = self.body_limit(request.path)
            raise ApiError(413, f"Request exceeds the maximum size of {limit} bytes.")
        if "transfer-encoding" in headers:
            raise ApiError(411, "Send a Content-Length; chunked request bodies are not accepted.")
        if request.path.startswith(_CONTROL):
            return VERSIONS[0]
        if not headers.get("x-api-key") and not headers.get("authorization"):
            raise ApiError(401, "x-api-key header is required")
        version = headers.get("anthropic-version")
        if version is None:
            raise invalid("anthropic-version: header is required")
        if version not in VERSIONS:
            raise invalid(f"anthropic-version: '{version}' is not one of {', '.join(VERSIONS)}")
        return version
