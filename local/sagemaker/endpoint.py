"""SageMaker's protocol at the front door: JSON 1.1, one POST per operation.

Source: AWS JSON 1.1 protocol of the Smithy specification.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from local.durability.room import DiskFull
from local.sagemaker.errors import RequestRefused, invalid

TARGET_PREFIX = "SageMaker."
"""How the ``x-amz-target`` of every operation begins."""

MAX_BODY_BYTES = 1024 * 1024

Answer = Callable[[str, Any], dict[str, Any]]
"""Answers an operation's request; raises RequestRefused."""

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Endpoint:
    """ASGI application that answers requests with ``answer``, in a thread."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request."""
        headers = {name.lower(): text for name, text in scope["headers"]}
        operation = headers[b"x-amz-target"].decode("latin-1").removeprefix(TARGET_PREFIX)
        try:
            request = _parsed(await _body(receive))
            document = await asyncio.to_thread(self._answer, operation, request)
        except RequestRefused as refusal:
            error = {"__type": refusal.code, "message": str(refusal)}
            await _respond(send, 400, error)
        except DiskFull as full:
            await _respond(send, 500, {"__type": "InternalFailure", "message": str(full)})
        else:
            await _respond(send, 200, document)


async def _body(receive: Receive) -> bytes:
    content = bytearray()
    more = True
    while more:
        message = await receive()
        content += message.get("body", b"")
        more = message.get("more_body", False)
        if len(content) > MAX_BODY_BYTES:
            raise invalid(f"The request is larger than {MAX_BODY_BYTES} bytes.")
    return bytes(content)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body or b"{}")
    except ValueError as error:
        raise RequestRefused("SerializationException", f"Not JSON: {error}") from None


async def _respond(send: Send, status: int, document: dict[str, Any]) -> None:
    content_type = (b"content-type", b"application/x-amz-json-1.1")
    await send({"type": "http.response.start", "status": status, "headers": [content_type]})
    await send({"type": "http.response.body", "body": json.dumps(document).encode()})
