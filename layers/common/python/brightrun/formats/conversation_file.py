"""Reads the product's conversations from any file, each as one document, to import them.

They are what `RecordFile` reads the pairs of: raw and enriched conversations and training.json
files, alone, in arrays or one after the other, and v4 JSON Lines, whose pairs are gathered.
"""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from brightrun.formats.codes import message_of
from brightrun.formats.containers import BYTE_ORDER_MARK, Readable
from brightrun.formats.detect import LOOKED_AT, Detection, classify, is_raw_conversation, vote
from brightrun.formats.documents import MOST_BYTES
from brightrun.formats.errors import UnknownFormatError, UnreadableFileError
from brightrun.formats.format import META
from brightrun.formats.lines import BlockReader, TooLong, numbered_lines
from brightrun.formats.reader import Problems, RecordReader
from brightrun.formats.source import RecordSource
from brightrun.formats.strict_json import parse_object
from brightrun.formats.v4 import pair_of_line
from brightrun.formats.v4_files import V4_JSON, V4_JSONL, stored_pairs


class PlacedConversation(NamedTuple):
    """One conversation: where it stands, in words, its document unless refused, and its problems.

    The document is a raw conversation, an enriched one, or an entry of a training.json.
    """

    place: str
    document: dict[str, Any] | None
    problems: Problems


class ConversationFile:
    """All conversations of a file, in its order; pairs of v4 lines come last, by conversation.

    Raises UnreadableFileError for a file that cannot be read or has no records, and
    UnknownFormatError for one of training records, which are no conversations of the product.
    """

    def __init__(self, source: Readable) -> None:
        self.source = RecordSource(source, keeps_conversations=True)
        self._gathered: dict[str, list[dict[str, Any]]] = {}
        found = self.source.detection
        if found and found.record_format is not V4_JSONL:
            raise UnknownFormatError(
                f"The file holds training records ({found.format.title}), and no conversations "
                "of the product.",
                code="training_records",
            )

    def __iter__(self) -> Iterator[PlacedConversation]:
        is_empty = True
        for number, line in numbered_lines(BlockReader(self.source, MOST_BYTES)):
            problems = Problems(V4_JSON)
            if isinstance(line, TooLong):
                problems("line_too_long", "", f"{line.length} bytes, at most {MOST_BYTES}")
                yield PlacedConversation(self.source.where(number), None, problems)
            elif line.strip():
                yield from self._read(number, line, problems)
            is_empty = False
        for conversation_id, pairs in self._gathered.items():
            entry = {
                "conversation_metadata": {"conversation_id": conversation_id},
                "training_pairs": pairs,
            }
            yield PlacedConversation(f"conversation {conversation_id}", entry, Problems(V4_JSON))
        self._raise_for_the_file(is_empty=is_empty)

    def _read(self, number: int, line: bytes, problems: Problems) -> Iterator[PlacedConversation]:
        where, behind = self.source.where(number), partial(self.source.where_behind, number)
        record = parse_object(line.removeprefix(BYTE_ORDER_MARK), problems, where=behind)
        if record is None:
            yield PlacedConversation(where, None, problems)
        elif isinstance(entries := record.get("conversations"), list) and (
            "training_file_metadata" in record
        ):
            for position, entry in enumerate(entries, 1):
                yield PlacedConversation(f"conversation {position}", entry, Problems(V4_JSON))
        elif is_raw_conversation(record) or isinstance(record.get("training_pairs"), list):
            yield PlacedConversation(where, record, problems)
        elif META not in record:
            yield from self._gather(where, record, problems)

    def _gather(
        self, where: str, record: dict[str, Any], problems: Problems
    ) -> Iterator[PlacedConversation]:
        found = classify(record)
        conversation_id = record.get("conversation_id")
        if found and found[0] is V4_JSONL and isinstance(conversation_id, str):
            self._gathered.setdefault(conversation_id, []).append(pair_of_line(record))
            return
        fields = ", ".join(list(record)[:5])
        problems("unknown_format", "", f"its fields: {fields}" if fields else "it is empty")
        yield PlacedConversation(where, None, problems)

    def _raise_for_the_file(self, *, is_empty: bool) -> None:
        for error in self.source.errors():
            raise UnreadableFileError(error.message, code=error.code)
        if is_empty:
            raise UnreadableFileError(message_of("empty_file"), code="empty_file")


def refused_pairs(document: Mapping[str, Any]) -> Iterator[tuple[str, Problems]]:
    """What keeps pairs of an enriched conversation or a training.json from use, as all tools say.

    Gives the JSON pointer of each such pair, or of an entry that lacks a part, with its problems.
    """
    found = [(place, _line(pair)) for place, pair in stored_pairs(document) or ()]
    known = vote(line for _, line in found[:LOOKED_AT])
    reader = RecordReader(Detection(V4_JSON, known[1]) if known else None)
    for place, line in found:
        problems = Problems(reader.format)
        reader.read(line, problems)
        if problems.failed:
            yield place, problems


def _line(pair: Any) -> bytes:
    # Escaped, so that half a surrogate pair arrives as what it is, and is refused by its name.
    return json.dumps(pair).encode()
