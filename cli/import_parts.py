"""From files to requests that import their conversations, each within what the API takes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.client import Document
from cli.errors import UsageError
from cli.private_files import explained

if TYPE_CHECKING:
    from brightrun.formats import PlacedConversation

MOST_BYTES = 5 * 1024 * 1024
"""Of one document as the server counts it: JSON indented by 2, in UTF-8."""

MOST_CONVERSATIONS = 50
"""In one part: each is stored and enriched while the request waits, within its 29 seconds."""

FRAME: Document = {"training_file_metadata": {}, "conversations": []}
"""A training.json around the conversations that are sent together."""


@dataclass(frozen=True)
class ImportPart:
    """One request: its document, and where each of its conversations stands in the file."""

    document: Document
    places: list[str]


@dataclass(frozen=True)
class ReadFile:
    """A file that was read: the requests to send, and what is refused without asking."""

    source: Path
    parts: list[ImportPart]
    refused: list[dict[str, Any]]


def read_file(source: Path) -> ReadFile:
    """Read the conversations of a file and split them into requests, in their order.

    Raises UsageError for a file that cannot be read or holds none, and for a conversation that is
    too large by itself, which it names; nothing has been sent then.
    """
    from brightrun.formats import ConversationFile, FormatError

    try:
        with explained("read", source), source.open("rb") as stream:
            found = list(ConversationFile(stream))
    except FormatError as error:
        raise _unusable(source, error) from error
    sound = [one for one in found if one.document is not None]
    refused = [_refusal(one) for one in found if one.document is None]
    return ReadFile(source, list(_parts(str(source), sound)), refused)


def size_of(value: Any) -> int:
    """How many bytes the server counts."""
    return len(json.dumps(value, ensure_ascii=False, indent=2).encode())


def _parts(name: str, found: "list[PlacedConversation]") -> Iterator[ImportPart]:
    group = ImportPart({**FRAME, "conversations": []}, [])
    filled, room = 0, MOST_BYTES - size_of(FRAME)
    for place, document, _ in found:
        # A conversation stands two levels deep in a document, so that each line has 4 more.
        text = json.dumps(document, ensure_ascii=False, indent=2)
        size = len(text.encode()) + 4 * (text.count("\n") + 1) + 8
        if size > room:
            raise _too_large(name, place, size)
        if document is not None and not _is_entry(document):
            yield ImportPart(document, [place])
            continue
        if group.places and (filled + size > room or len(group.places) == MOST_CONVERSATIONS):
            yield group
            group, filled = ImportPart({**FRAME, "conversations": []}, []), 0
        group.document["conversations"].append(document)
        group.places.append(place)
        filled += size
    if group.places:
        yield group


def _is_entry(document: Any) -> bool:
    """True for a conversation that only a training.json holds; others are documents themselves."""
    alone = isinstance(document, dict) and ("turns" in document or "dataset_metadata" in document)
    return not alone


def _refusal(one: "PlacedConversation") -> dict[str, Any]:
    return {
        "place": one.place,
        "conversation": None,
        "warnings": [],
        "error": one.problems.reason(),
        "code": one.problems.errors[0].code,
    }


def _unusable(source: Path, error: Any) -> UsageError:
    from brightrun.formats import codes

    known = codes().get(error.code)
    hint = known.hint if known else "It is trained as it is: brightrun dataset upload FILE"
    return UsageError(f"{source}: {error.message}", code=error.code, hint=hint)


def _too_large(name: str, place: str, size: int) -> UsageError:
    return UsageError(
        f"{name}, {place}, has {size:,} bytes; one request takes {MOST_BYTES:,}.",
        hint="Nothing was sent. Shorten it or remove it from the file, then import again.",
    )
