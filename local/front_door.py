"""The single port of the HTTP API, the emulated AWS and the status page."""

import json
import re
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any
from urllib.parse import parse_qs

from local.console import Console
from local.sagemaker.endpoint import TARGET_PREFIX as SAGEMAKER_TARGET
from local.status import Status

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_HOST = r"(127\.0\.0\.1|\[::1\]|([\w.-]+\.)?localhost)(:\d+)?"
_LOOPBACK = re.compile(_HOST)
_LOOPBACK_ORIGIN = re.compile(f"https?://{_HOST}")
_ADMINISTRATION = ("/_ministack/", "/_localstack/")
_SIGNED_BY_QUERY = {"X-Amz-Credential", "X-Amz-Signature"}
_JOURNALED = re.compile(
    r"DynamoDB_\w+\.(\w*Items?|Query|Scan|Describe\w+|List\w+|\w*Statement|\w*Transaction)"
    r"|AWSStepFunctions\.(\w*Execution\w*|Describe\w+|List\w+)"
)
"""Actions that change nothing, or only what is journaled as it is written."""

_READING = {"GET", "HEAD", "OPTIONS"}

_REMEDY = (
    "Free some space: batches under way go on by themselves, and this request can be sent again."
)
_RETRY_AFTER_SECONDS = b"60"
"""Of a request that a full disk refused: longer than the command line would wait."""


class Destination(Enum):
    """Where a request goes."""

    API = "api"
    AWS = "aws"
    SAGEMAKER = "sagemaker"
    CONSOLE = "console"
    STATUS_PAGE = "status page"
    STATUS_DOCUMENT = "status document"
    REFUSED = "refused"


_OWN_PAGES = {"/_local/": Destination.STATUS_PAGE, "/_local/status": Destination.STATUS_DOCUMENT}


def destination_of(method: str, path: str, query: str, headers: dict[str, str]) -> Destination:
    """Tell where a request goes, by its signature first and its path second.

    Requests that carry an AWS signature or an ``x-amz-target`` are for the emulated AWS, even if
    their bucket is called api; what else is read without one is a page of the console, since no
    bucket is public. Refused is what a web page from elsewhere could send: requests
    under a host name that it has made resolve to this machine, and requests of its own to the
    emulated AWS, which would let every page read it. So are ministack's administration pages,
    which could wipe everything without a signature.
    """
    if not _LOOPBACK.fullmatch(headers.get("host", "")) or path.startswith(_ADMINISTRATION):
        return Destination.REFUSED
    destination = _by_signature_and_path(method, path, query, headers)
    origin = headers.get("origin")
    is_aws = destination in (Destination.AWS, Destination.SAGEMAKER)
    if is_aws and origin and not _LOOPBACK_ORIGIN.fullmatch(origin):
        return Destination.REFUSED
    return destination


def _by_signature_and_path(
    method: str, path: str, query: str, headers: dict[str, str]
) -> Destination:
    if headers.get("x-amz-target", "").startswith(SAGEMAKER_TARGET):
        return Destination.SAGEMAKER
    signed = headers.get("authorization", "").startswith("AWS4-HMAC-SHA256")
    if signed or "x-amz-target" in headers or parse_qs(query).keys() & _SIGNED_BY_QUERY:
        return Destination.AWS
    if path == "/api" or path.startswith("/api/"):
        return Destination.API
    if path in _OWN_PAGES:
        return _OWN_PAGES[path]
    # The user pool's keys are public, and what begins with an underscore is the emulator's.
    is_emulators = path.startswith("/_") or "/.well-known/" in path
    return Destination.AWS if is_emulators or method not in _READING else Destination.CONSOLE


def needs_snapshot(method: str, path: str, headers: dict[str, str]) -> bool:
    """Return whether a request may have changed something that only the snapshot stores."""
    if method in _READING:
        return False
    target = headers.get("x-amz-target")
    if target is not None:
        return _JOURNALED.fullmatch(target) is None
    is_object = "/s3/aws4_request" in headers.get("authorization", "") and "/" in path.strip("/")
    return not is_object


class FrontDoor:
    """ASGI application in front of ministack and the emulated SageMaker.

    ``changed`` is called after changes that need a snapshot. While ``shortage`` says that the disk
    is full, the API answers reads only.
    """

    def __init__(
        self,
        emulator: Application,
        sagemaker: Application,
        console: Console,
        status: Status,
        changed: Callable[[], None],
        shortage: Callable[[], str | None],
    ) -> None:
        self._emulator = emulator
        self._sagemaker = sagemaker
        self._console = console
        self._status = status
        self._changed = changed
        self._shortage = shortage

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event of ASGI."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._emulator(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode().lower(): text.decode("latin-1") for name, text in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        match destination_of(scope["method"], scope["path"], query, headers):
            case Destination.API:
                await self._serve_api(scope, receive, send)
            case Destination.AWS:
                await self._emulator(scope, receive, send)
                self._note(scope, headers)
            case Destination.SAGEMAKER:
                await self._sagemaker(scope, receive, send)
            case Destination.CONSOLE:
                await self._serve_page(scope["path"], headers.get("accept", ""), send)
            case Destination.STATUS_PAGE:
                await _respond(send, 200, "text/html; charset=utf-8", self._status.page())
            case Destination.STATUS_DOCUMENT:
                await _respond(send, 200, "application/json", self._status.document_text())
            case Destination.REFUSED:
                await _respond_message(send, 403, "Only for requests from and to this machine.")

    def _note(self, scope: Scope, headers: dict[str, str]) -> None:
        if needs_snapshot(scope["method"], scope["path"], headers):
            self._changed()

    async def _serve_page(self, path: str, accept: str, send: Send) -> None:
        code, headers, body = self._console.respond(path, accept, self._status.document())
        start = [(name.encode(), text.encode()) for name, text in headers.items()]
        await send({"type": "http.response.start", "status": code, "headers": start})
        await send({"type": "http.response.body", "body": body})

    async def _serve_api(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._status.api_id is None:
            await _respond_message(send, 503, "The system is starting.")
            return
        shortage = None if scope["method"] in _READING else self._shortage()
        if shortage:
            await _respond_full(send, f"{shortage} Nothing was changed. {_REMEDY}")
            return
        prefix = f"/_aws/execute-api/{self._status.api_id}/$default"
        raw_path = prefix.encode() + scope["raw_path"]
        inner = {**scope, "path": prefix + scope["path"], "raw_path": raw_path}
        await self._emulator(inner, receive, send)


async def _respond_message(send: Send, code: int, message: str) -> None:
    await _respond(send, code, "application/json", json.dumps({"message": message}))


async def _respond_full(send: Send, sentence: str) -> None:
    problem = {
        "type": "urn:brightrun:problem:disk_full",
        "title": "Insufficient Storage",
        "status": 507,
        "detail": sentence,
        "success": False,
        "error": sentence,
        "code": "disk_full",
        "details": None,
    }
    wait = (b"retry-after", _RETRY_AFTER_SECONDS)
    await _respond(send, 507, "application/problem+json", json.dumps(problem), wait)


async def _respond(
    send: Send, code: int, content_type: str, text: str, *more: tuple[bytes, bytes]
) -> None:
    headers = [(b"content-type", content_type.encode()), (b"cache-control", b"no-store"), *more]
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
