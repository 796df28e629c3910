"""Says which training format a file or a record is in, and by what it was recognised."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from brightrun.formats.errors import UnknownFormatError
from brightrun.formats.format import format_of, ranked_keys
from brightrun.formats.model import Format

HEAD_BYTES = 256 * 1024
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Detection:
    """What a file was taken for and why; `is_array` when its records stand in one JSON array."""

    format: Format
    reason: str
    is_array: bool = False

    def __str__(self) -> str:
        """A sentence for people."""
        return f"{self.format.title}: {self.reason}"


def classify(record: Mapping[str, Any]) -> tuple[Format, str] | None:
    """Name a record's format and the key that gave it away; None when no known key is there."""
    if "conversation_metadata" in record and "turns" in record:
        return None  # a raw generated conversation: it has no pairs before enrichment
    return format_of(record)


def detect(head: bytes) -> Detection:
    """Say what a file is from its first bytes (256 KiB are plenty); raises UnknownFormatError."""
    text = head.removeprefix(BYTE_ORDER_MARK).decode(errors="replace").lstrip()
    is_array = text.startswith("[")
    if is_array:
        text = text[1:].lstrip()
    record = _first_value(text)
    found = classify(record) if record is not None else _by_first_key_seen(text)
    if found is None:
        looked_for = ", ".join(sorted({key for key, _ in ranked_keys()}))
        raise UnknownFormatError(
            f"This is none of the formats we read: its first record has none of {looked_for}."
            " A raw generated conversation has to be enriched first."
        )
    format_, key = found
    place = "the document" if format_.is_whole_file else "the first record"
    shape = " in a JSON array" if is_array else ""
    return Detection(format_, f"{place}{shape} has the key '{key}'", is_array)


def _first_value(text: str) -> Mapping[str, Any] | None:
    try:
        value, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else {}


def _by_first_key_seen(text: str) -> tuple[Format, str] | None:
    """For a first record longer than the head: go by the known key that stands first in it."""
    if not text.startswith("{"):
        return None
    places = {key: text.find(f'"{key}"') for key, _ in ranked_keys()}
    seen = {key: place for key, place in places.items() if place >= 0}
    return classify(dict.fromkeys(seen)) if seen else None
