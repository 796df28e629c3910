"""A Bright Run system on the loopback interface, as the command sees it over HTTP."""

import json
import re
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.cli.fake_cognito import FakeUserPool

Json = dict[str, Any]
Handler = Callable[["Recorded", re.Match[str]], "Answer | Json"]


SPENDING = (
    "/api/conversations/generate",
    "/api/conversations/generate-batch",
    "/api/conversations/generate-with-scaffolding",
    "/api/conversations/judge",
    "/api/jobs",
    "/api/training-files",
)
"""Paths whose POST costs money or begins long work; only this fake refuses one without a key."""


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; `cut_at` closes the connection after so many bytes of the body."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    cut_at: int | None = None


@dataclass(frozen=True)
class Recorded:
    """One request as it arrived; `path` is decoded, without the query."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


def problem(status: int, sentence: str, code: str, details: Any = None, **headers: str) -> Answer:
    """A problem+json answer as the API gives it."""
    body = {
        "type": f"urn:brightrun:problem:{code}",
        "title": "Problem",
        "status": status,
        "detail": sentence,
        "error": sentence,
        "code": code,
        "details": details,
        "success": False,
    }
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(body).encode(), headers)


class FakeSystem:
    """The server: routes, the requests it got, and the faults it was scripted to answer with."""

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self.user_pool = FakeUserPool()
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = []
        self._faults: dict[tuple[str, str], deque[Answer]] = defaultdict(deque)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _request_handler(self))
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "FakeSystem":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def route(self, method: str, pattern: str, handler: Handler) -> None:
        """Answer a method and a path pattern; the latest route that fits wins."""
        self._routes.insert(0, (method, re.compile(pattern), handler))

    def fail_next(self, method: str, path: str, *answers: Answer) -> None:
        """Answer the next requests for this path with these instead."""
        self._faults[method, path].extend(answers)

    def sent(self, method: str, path: str) -> list[Recorded]:
        """The requests of one method and path, in order."""
        return [one for one in self.requests if (one.method, one.path) == (method, path)]

    def answer(self, request: Recorded) -> Answer:
        if "x-amz-target" in request.headers:
            status, document = self.user_pool.answer(request.headers["x-amz-target"], request.body)
            return Answer(status, json.dumps(document).encode())
        self.requests.append(request)
        spends = request.method == "POST" and request.path in SPENDING
        if spends and "idempotency-key" not in request.headers:
            return problem(400, "A repetition would be paid for.", "no_idempotency_key")
        if faults := self._faults[request.method, request.path]:
            return faults.popleft()
        if request.path.startswith("/api/") and not self._is_signed_in(request):
            # The gateway's own body: it refuses before a handler runs.
            return Answer(401, b'{"message":"Unauthorized"}')
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(request.path)
            if method == request.method and match:
                made = handler(request, match)
                return made if isinstance(made, Answer) else Answer(200, json.dumps(made).encode())
        return problem(404, "There is no such record.", "not_found")

    def _is_signed_in(self, request: Recorded) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme == "Bearer" and token in self.user_pool.valid_access_tokens


def _request_handler(system: FakeSystem) -> type[BaseHTTPRequestHandler]:
    class RequestHandler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("content-length", 0)))
            answer = system.answer(
                Recorded(
                    self.command,
                    unquote(parts.path),
                    dict(parse_qsl(parts.query)),
                    {name.lower(): value for name, value in self.headers.items()},
                    # What goes to the file store is not JSON, and is kept as it came.
                    raw if parts.path.startswith("/files/") else json.loads(raw or "null"),
                )
            )
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body[: answer.cut_at])
            self.close_connection = answer.cut_at is not None

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = handle_any  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    return RequestHandler
