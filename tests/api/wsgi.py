"""The API as a WSGI application, for what speaks HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from tests.handlers.gateway import Gateway, Request

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class Application:
    """Hands every HTTP request to the gateway; `tokens` are the owners by their bearer tokens."""

    def __init__(self, tokens: Mapping[str, str]) -> None:
        self._gateway = Gateway()
        self._tokens = tokens

    def __call__(self, environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        request = _request(environ)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        owner = self._tokens.get(token) if scheme == "Bearer" else None
        answer = self._gateway.answer(request, {"sub": owner} if owner else None)
        phrase = HTTPStatus(answer.status).phrase
        start(f"{answer.status} {phrase}", list(answer.headers.items()))
        return [answer.text.encode()]


def _request(environ: dict[str, Any]) -> Request:
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        headers["content-type"] = environ["CONTENT_TYPE"]
    path, query = environ["REQUEST_URI"].partition("?")[0], environ["QUERY_STRING"]
    length = int(environ.get("CONTENT_LENGTH") or 0)
    return Request(
        environ["REQUEST_METHOD"],
        f"{path}?{query}" if query else path,
        headers,
        environ["wsgi.input"].read(length) or None,
    )
