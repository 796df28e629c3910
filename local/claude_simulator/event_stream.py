"""A Message as the server-sent events of a streamed call."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

_DELTA_CHARACTERS = 240


async def event_stream(message: dict[str, Any]) -> AsyncIterator[bytes]:
    """The events of `message` in the order the API sends them, text in small pieces."""
    usage = message["usage"]
    opening = {
        **message,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "usage": {**usage, "output_tokens": 1, "output_tokens_details": None},
    }
    yield _event("message_start", message=opening)
    yield _event("ping")
    for index, block in enumerate(message["content"]):
        for event in _block_events(index, block):
            yield event
    ending = {name: message[name] for name in ("stop_reason", "stop_sequence", "stop_details")}
    yield _event("message_delta", delta=ending, usage=usage)
    yield _event("message_stop")


def _block_events(index: int, block: dict[str, Any]) -> Iterator[bytes]:
    empty = {**block, "thinking": "", "signature": ""} if block["type"] == "thinking" else block
    empty = {**empty, "text": ""} if block["type"] == "text" else empty
    yield _event("content_block_start", index=index, content_block=empty)
    for delta in _deltas(block):
        yield _event("content_block_delta", index=index, delta=delta)
    yield _event("content_block_stop", index=index)


def _deltas(block: dict[str, Any]) -> Iterator[dict[str, str]]:
    if block["type"] == "thinking":
        if block["thinking"]:
            yield {"type": "thinking_delta", "thinking": block["thinking"]}
        yield {"type": "signature_delta", "signature": block["signature"]}
        return
    text = block["text"]
    for start in range(0, len(text), _DELTA_CHARACTERS):
        yield {"type": "text_delta", "text": text[start : start + _DELTA_CHARACTERS]}


def _event(kind: str, **fields: Any) -> bytes:
    data = json.dumps({"type": kind, **fields}, ensure_ascii=False)
    return f"event: {kind}\ndata: {data}\n\n".encode()
