"""Splitting a training.json that is larger than one request of the API."""

import json
from collections.abc import Iterator
from typing import Any

from cli.client import Document
from cli.errors import UsageError

MOST_BYTES = 5 * 1024 * 1024
"""Of one document as the server counts it: JSON indented by 2, in UTF-8."""

MOST_CONVERSATIONS = 50
"""In one part: each is stored and enriched while the request waits, within its 29 seconds."""


def parts_of(name: str, document: Document) -> list[Document]:
    """Split a document into what single requests take, the conversations in their order.

    A document that fits stays as it is. Raises UsageError for a conversation that is too large by
    itself, which names it, before anything is sent.
    """
    if size_of(document) <= MOST_BYTES:
        return [document]
    conversations = document.get("conversations")
    if not isinstance(conversations, list) or "training_file_metadata" not in document:
        raise _too_large(f"{name}, a single conversation,", size_of(document))
    frame = {key: value for key, value in document.items() if key != "conversations"}
    if size_of({**frame, "conversations": []}) > MOST_BYTES:
        raise _too_large(f"All but the conversations of {name}", size_of(frame))
    groups = _groups(name, conversations, MOST_BYTES - size_of({**frame, "conversations": []}))
    return [{**frame, "conversations": group} for group in groups]


def size_of(value: Any) -> int:
    """How many bytes the server counts."""
    return len(json.dumps(value, ensure_ascii=False, indent=2).encode())


def _groups(name: str, conversations: list[Any], room: int) -> Iterator[list[Any]]:
    group: list[Any] = []
    filled = 0
    for number, one in enumerate(conversations, start=1):
        # A conversation stands two levels deep in the document, so that each line has 4 more.
        text = json.dumps(one, ensure_ascii=False, indent=2)
        size = len(text.encode()) + 4 * (text.count("\n") + 1) + 8
        if size > room:
            raise _too_large(f"Conversation {number} of {name}", size)
        if group and (filled + size > room or len(group) == MOST_CONVERSATIONS):
            yield group
            group, filled = [], 0
        group.append(one)
        filled += size
    if group:
        yield group


def _too_large(what: str, size: int) -> UsageError:
    return UsageError(
        f"{what} has {size:,} bytes; one request takes {MOST_BYTES:,}.",
        hint="Nothing was sent. Shorten it or remove it from the file, then import again.",
    )
