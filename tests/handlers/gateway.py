"""The deployed HTTP API in one process: its routes, its authorizer, and the real handlers."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

from infra.routes import ROUTES
from tests.builders import OWNER
from tests.handlers.events import http_event

HANDLERS: Mapping[str, ModuleType] = {
    name: importlib.import_module(f"functions.{name}.handler") for name in ROUTES
}
JSON = "application/json"
ABSENT = object()


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.text)
        return document

    @property
    def fields(self) -> set[str]:
        """The names of the fields that a refusal lists."""
        return {fault["field"] for fault in self.body["details"]}


@dataclass(frozen=True)
class Request:
    """A request as the network brings it."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None = None


class Gateway:
    """Answers as API Gateway in front of the handlers: 404 and 401 are its own, the rest theirs."""

    def __init__(self) -> None:
        # A literal path wins over one with a parameter.
        ordered = sorted(
            ((route, name) for name, routes in ROUTES.items() for route in routes),
            key=lambda entry: entry[0].count("{id}"),
        )
        self._routes = [(_pattern(route), route, name) for route, name in ordered]

    def answer(self, request: Request, claims: Mapping[str, str] | None) -> Answer:
        """Route an authorized request; without claims the authorizer turns it away."""
        found = self._find(request)
        if found is None:
            return Answer(404, '{"message":"Not Found"}', {"Content-Type": JSON})
        if claims is None:
            return Answer(401, '{"message":"Unauthorized"}', {"Content-Type": JSON})
        route, name, parameters = found
        event = http_event(
            route,
            request.target,
            parameters=parameters,
            headers=request.headers,
            body=request.body,
            claims=claims,
        )
        # The runtime hands events over as JSON, and takes answers back as JSON.
        given = json.loads(json.dumps(event))
        taken = json.loads(json.dumps(HANDLERS[name].lambda_handler(given, None)))
        return Answer(taken["statusCode"], taken["body"], taken["headers"])

    def _find(self, request: Request) -> tuple[str, str, dict[str, str]] | None:
        asked = f"{request.method} {request.target.partition('?')[0]}"
        for pattern, route, name in self._routes:
            if match := pattern.fullmatch(asked):
                return route, name, match.groupdict()
        return None


class Api:
    """Calls the API as a client would: `api("GET /api/batch-jobs", query={"limit": "5"})`."""

    def __init__(self) -> None:
        self._gateway = Gateway()

    def __call__(
        self,
        route: str,
        body: object = ABSENT,
        *,
        owner: str | None = OWNER,
        groups: str | None = None,
        query: Mapping[str, str] | str = "",
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Answer:
        method, _, path = route.partition(" ")
        text = query if isinstance(query, str) else urlencode(query)
        content = json.dumps(body).encode() if body is not ABSENT else raw
        sent = {"Content-Type": JSON} if body is not ABSENT else {}
        request = Request(
            method, f"{path}?{text}" if text else path, {**sent, **(headers or {})}, content
        )
        named = {} if groups is None else {"cognito:groups": groups}
        return self._gateway.answer(request, {"sub": owner, **named} if owner else None)


def _pattern(route: str) -> re.Pattern[str]:
    return re.compile(re.escape(route).replace(r"\{id\}", "(?P<id>[^/]+)"))
