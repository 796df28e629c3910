"""The contents of training.json and training.jsonl, in v1's formats, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from brightrun.core.errors import InvalidInputError
from brightrun.formats import (
    FORMAT_SPEC,
    VERSION,
    FormatError,
    V4Conversation,
    V4Document,
    compact,
    indented,
    is_trainable,
    line_of_pair,
    loads,
    meta_line,
    training_document,
)
from brightrun.training_files.model import QualitySummary
from brightrun.training_files.selection import SelectedConversation

TARGET_MODEL = "claude-sonnet-4-5"
"""The value in every file of v1; nothing reads it."""
MIXED_VERTICAL = "mixed"
"""The vertical of a file with conversations of several domains."""
_DISTRIBUTIONS = (
    ("personas", "persona_key"),
    ("emotional_arcs", "emotional_arc_key"),
    ("training_topics", "training_topic_key"),
)
_ARCHETYPE_SEPARATOR = " - "


_CONVERSATIONS = b'\n  "conversations": [\n    '
_BETWEEN = b",\n    "
_ENTRY_ENDS = b"\n    }"
CLOSING = b"\n  ]\n}"
"""The end of a training.json, after its last conversation."""
_LONGEST_OPENING = 4 * 1024 * 1024
"""Bytes of a training.json before its first conversation; some kilobytes in fact."""


Entry = V4Conversation
"""A conversation as it stands in a training file."""


@dataclass(slots=True)
class Totals:
    """What the header of a training.json sums up of its conversations.

    `pairs` counts all training pairs, `trainable` those with a target response. `distribution`
    counts conversations by persona, arc and topic, in the order of their first appearance.
    """

    conversations: int = 0
    pairs: int = 0
    trainable: int = 0
    quality: QualitySummary = field(default_factory=QualitySummary)
    distribution: dict[str, dict[str, int]] = field(
        default_factory=lambda: {name: {} for name, _ in _DISTRIBUTIONS}
    )

    def add(self, entry: Entry) -> None:
        """Count a conversation; its quality is added apart."""
        self.conversations += 1
        self.pairs += len(entry.pairs)
        self.trainable += sum(is_trainable(pair) for pair in entry.pairs)
        scaffolding = entry.metadata["scaffolding"]
        for name, key in _DISTRIBUTIONS:
            if value := scaffolding[key]:
                self.distribution[name][value] = self.distribution[name].get(value, 0) + 1


@dataclass(slots=True)
class Origin:
    """Who speaks in a training file, and of what: the consultant's profile and the vertical."""

    consultant: Mapping[str, Any] = field(default_factory=dict)
    vertical: str = ""

    @classmethod
    def of_stored(cls, document: Mapping[str, Any]) -> Origin:
        """The origin that a training.json states."""
        header = document.get("training_file_metadata", {})
        return cls(document.get("consultant_profile", {}), str(header.get("vertical", "")))

    def add(self, enriched: Mapping[str, Any]) -> None:
        """Take a conversation in: the first one's consultant stays the file's."""
        self.consultant = self.consultant or enriched["consultant_profile"]
        found = enriched["dataset_metadata"]["vertical"]
        self.vertical = found if self.vertical in {"", found} else MIXED_VERTICAL


def opening(
    file_name: str,
    origin: Origin,
    totals: Totals,
    *,
    created: str,
    updated: str,
) -> bytes:
    """A training.json up to its first conversation; timestamps are ISO 8601 with milliseconds."""
    header = _header(file_name, origin.vertical, totals, created, updated)
    document = V4Document(file_name, [], header, dict(origin.consultant))
    return indented(training_document(document, None)).removesuffix("[]\n}").encode() + b"[\n    "


def entry_bytes(entry: Entry, *, is_first: bool) -> bytes:
    """A conversation as it stands in training.json, with what separates it from the one before."""
    document = {"conversation_metadata": entry.metadata, "training_pairs": entry.pairs}
    text = indented(document).replace("\n", "\n    ").encode()
    return text if is_first else _BETWEEN + text


def meta_bytes(file_name: str, totals: Totals) -> bytes:
    """The first line of a training.jsonl, without an end of line."""
    return compact(meta_line(file_name, totals.pairs)).encode()


def line_bytes(entry: Entry) -> bytes:
    """A conversation's lines of a training.jsonl, each after the end of the line before."""
    lines = (
        compact(line_of_pair(pair, entry.conversation_id))
        for pair in entry.pairs
        if pair["target_response"] is not None
    )
    return "".join(f"\n{line}" for line in lines).encode()


class StoredDocument:
    """A training.json that is read as a stream of bytes, from its beginning or from an entry on.

    `blocks` begin at byte `start`, 0 for the beginning; else at the first byte of an entry. Raises
    InvalidInputError for what is no training.json of this system.
    """

    def __init__(self, blocks: Iterator[bytes], start: int = 0) -> None:
        self._blocks = blocks
        self._read = bytearray()
        self.position = start

    def opening(self) -> Mapping[str, Any]:
        """Read up to the first conversation; returns the document without its conversations."""
        while (end := self._read.find(_CONVERSATIONS)) < 0:
            if len(self._read) > _LONGEST_OPENING or not self._read_block():
                raise InvalidInputError("The training file's newest version cannot be read.")
        text = self._take(end + len(_CONVERSATIONS))
        return _parsed(text + b"]}")

    def entries(self) -> Iterator[Entry]:
        """Read the conversations; `position` is that of the next one, or of the end."""
        while self._starts_with(b"{"):
            while (end := self._read.find(_ENTRY_ENDS)) < 0:
                if not self._read_block():
                    raise InvalidInputError("The training file's newest version is cut off.")
            document = _parsed(self._take(end + len(_ENTRY_ENDS)))
            if self._starts_with(_BETWEEN):
                self._take(len(_BETWEEN))
            metadata = document["conversation_metadata"]
            yield Entry(metadata["conversation_id"], document["training_pairs"], dict(metadata))

    def _starts_with(self, text: bytes) -> bool:
        while len(self._read) < len(text) and self._read_block():
            pass
        return self._read.startswith(text)

    def _read_block(self) -> bool:
        block = next(self._blocks, b"")
        self._read += block
        return bool(block)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._read[:size])
        del self._read[:size]
        self.position += size
        return taken


def _parsed(text: bytes) -> Mapping[str, Any]:
    try:
        document: Mapping[str, Any] = loads(text)
    except FormatError as error:
        raise InvalidInputError(error.message) from error
    return document


def conversation_entry(selected: SelectedConversation) -> Entry:
    """Create a conversation's entry in training.json; its pairs are those of its enriched file."""
    record, enriched = selected.record, selected.enriched
    pairs = list(enriched["training_pairs"])
    metadata = {
        "conversation_id": record.conversation_id,
        "source_file": f"{enriched['dataset_metadata']['dataset_name']}.json",
        "created_date": record.created_at[:10],
        "total_turns": len(pairs),
        "quality_tier": enriched["dataset_metadata"]["quality_tier"],
        "scaffolding": _scaffolding(selected),
    }
    return V4Conversation(record.conversation_id, pairs, metadata)


def scores_of(selected: SelectedConversation) -> list[float]:
    """The conversation's quality score, or without one those of its pairs."""
    record, enriched = selected.record, selected.enriched
    if record.quality_score is not None:
        return [record.quality_score]
    scores = (pair["training_metadata"].get("quality_score") for pair in enriched["training_pairs"])
    return [score for score in scores if score is not None]


def turn_texts(pairs: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The text of each turn of a conversation; there is one pair for each turn."""
    return tuple(
        pair["current_user_input"] if pair["target_response"] is None else pair["target_response"]
        for pair in pairs
    )


def _scaffolding(selected: SelectedConversation) -> dict[str, str]:
    record, enriched = selected.record, selected.enriched
    parameters: Mapping[str, str] = enriched.get("input_parameters") or {}
    metadata: Mapping[str, str] = enriched["training_pairs"][0]["conversation_metadata"]
    client, _, _ = metadata.get("client_persona", "").partition(_ARCHETYPE_SEPARATOR)
    return {
        "persona_key": record.persona_key,
        "persona_name": parameters.get("persona_name") or client,
        "emotional_arc_key": record.emotional_arc_key,
        "emotional_arc": parameters.get("emotional_arc_name") or metadata.get("emotional_arc", ""),
        "training_topic_key": record.training_topic_key,
        "training_topic": parameters.get("training_topic_name")
        or metadata.get("training_topic", ""),
    }


def _header(
    file_name: str, vertical: str, totals: Totals, created: str, updated: str
) -> dict[str, Any]:
    quality = totals.quality
    reviewed = round(100 * quality.human_reviewed / totals.conversations, 1)
    return {
        "file_name": file_name,
        "version": VERSION,
        "created_date": created,
        "last_updated": updated,
        "format_spec": FORMAT_SPEC,
        "target_model": TARGET_MODEL,
        "vertical": vertical,
        "total_conversations": totals.conversations,
        "total_training_pairs": totals.pairs,
        "quality_summary": {
            "avg_quality_score": _json_number(quality.average),
            "min_quality_score": _json_number(quality.lowest),
            "max_quality_score": _json_number(quality.highest),
            "human_reviewed_count": quality.human_reviewed,
            "human_reviewed_percentage": _json_number(reviewed),
        },
        "scaffolding_distribution": totals.distribution,
    }


def _json_number(number: float | None) -> float | None:
    """A whole number as an int, without decimal point, as v1 writes it."""
    return int(number) if number is not None and number == int(number) else number
