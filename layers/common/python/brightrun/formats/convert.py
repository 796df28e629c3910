"""Turns a training file of any known format into another, offline.

JSONL sources and targets are streamed; training.json, enriched files, JSON arrays and a
training.json target are held in memory, because their totals stand before their content.
"""

import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from brightrun.formats.chat_forms import (
    read_alpaca,
    read_conversation,
    read_messages,
    read_sharegpt,
    write_alpaca,
    write_conversation,
    write_messages,
    write_sharegpt,
)
from brightrun.formats.detect import HEAD_BYTES, WHOLE_FILE_FORMS, detect
from brightrun.formats.errors import NotAnOutputFormatError, NothingToTrainError, RecordError
from brightrun.formats.merge import merged
from brightrun.formats.model import Example, Form, fault_in
from brightrun.formats.records import (
    LineWriter,
    Placed,
    pairs_of_document,
    records_of,
    whole_document,
)
from brightrun.formats.strict_json import indented
from brightrun.formats.tally import Conversion
from brightrun.formats.v4 import example_of, is_trainable, lines_of
from brightrun.formats.v4_convert import convert_within_v4
from brightrun.formats.v4_files import document_of_lines, read_document

__all__ = ["Conversion", "convert", "convert_file"]

READERS: Mapping[Form, Callable[[Mapping[str, Any]], Example]] = {
    Form.V4_JSON: example_of,
    Form.V4_JSONL: example_of,
    Form.ENRICHED: example_of,
    Form.MESSAGES: read_messages,
    Form.CONVERSATIONS: read_conversation,
    Form.SHAREGPT: read_sharegpt,
    Form.ALPACA: read_alpaca,
}
WRITERS: Mapping[Form, Callable[[Example, int], Iterator[dict[str, Any]]]] = {
    Form.V4_JSON: lines_of,
    Form.V4_JSONL: lines_of,
    Form.MESSAGES: write_messages,
    Form.CONVERSATIONS: write_conversation,
    Form.SHAREGPT: write_sharegpt,
    Form.ALPACA: write_alpaca,
}
MERGED_FORMS = frozenset({Form.CONVERSATIONS, Form.SHAREGPT})


def convert(
    source: BinaryIO,
    to: Form,
    out: BinaryIO,
    *,
    name: str = "dataset",
    created: str | None = None,
) -> Conversion:
    """Detect what `source` is and write it to `out` as `to`.

    Between v4 forms pairs stay as they came.  Elsewhere only sound examples are carried over and
    every record left out is counted with its reason; `messages` keeps one line per example, while
    conversation lines and ShareGPT join the pairs of one conversation.  `name` is the file name to
    record where the source has none, `created` an ISO-8601 time for a training.json's header.
    Raises UnknownFormatError, UnreadableFileError, NotAnOutputFormatError, NothingToTrainError.
    """
    if to not in WRITERS:
        raise NotAnOutputFormatError(
            f"{to.full_name} can be read but not written; choose one of {', '.join(WRITERS)}."
        )
    reader = io.BufferedReader(cast("io.RawIOBase", source), HEAD_BYTES)  # any binary file will do
    try:
        tally = Conversion(detect(reader.peek(HEAD_BYTES)), to, name)
        if tally.detected.form.is_v4 and to.is_v4:
            convert_within_v4(reader, out, tally, created)
        else:
            _write(merged_if_due(_examples(reader, tally), to), out, tally, created)
    finally:
        reader.detach()
    if not tally.trainable_pairs:
        raise NothingToTrainError(
            f"Not one of the {tally.records} records can be trained on, so nothing was written.",
            details=dict(tally.left_out),
        )
    return tally


def convert_file(source: Path, to: Form, target: Path, *, created: str | None = None) -> Conversion:
    """Convert a file on disk; `target` appears only when it is complete."""
    partial = target.with_name(f"{target.name}.partial")
    try:
        with source.open("rb") as read, partial.open("wb") as write:
            result = convert(read, to, write, name=source.stem, created=created)
        os.replace(partial, target)  # noqa: PTH105 - atomic on POSIX, over an existing file too
    finally:
        partial.unlink(missing_ok=True)
    return result


def merged_if_due(examples: Iterable[Example], to: Form) -> Iterable[Example]:
    """Join the pairs of one conversation where the target format holds conversations whole."""
    return merged(examples) if to in MERGED_FORMS else examples


def _placed_records(reader: BinaryIO, tally: Conversion) -> Iterator[Placed]:
    form = tally.detected.form
    if form in WHOLE_FILE_FORMS:
        return pairs_of_document(read_document(whole_document(reader), form), tally)
    return records_of(reader, tally)


def _examples(reader: BinaryIO, tally: Conversion) -> Iterator[Example]:
    """Read the sound examples of a file, cut after their last trained answer."""
    form = tally.detected.form
    for place, record in _placed_records(reader, tally):
        if form.is_v4 and not is_trainable(record):
            tally.untrainable += 1
            continue
        try:
            example = READERS[form](record).up_to_last_answer()
        except RecordError as error:
            tally.leave_out(place, error.message)
            continue
        fault = fault_in(example)
        if fault:
            tally.leave_out(place, fault)
        else:
            yield replace(example, system=example.system if example.system.strip() else "")


def _write(
    examples: Iterable[Example], out: BinaryIO, tally: Conversion, created: str | None
) -> None:
    lines = _lines(examples, tally)
    if tally.to is Form.V4_JSON:
        gathered = list(lines)
        document = document_of_lines(gathered, tally.file_name, created)
        out.write(indented(document).encode())
        return
    writer = LineWriter(out)
    for line in lines:
        writer.write(line)


def _lines(examples: Iterable[Example], tally: Conversion) -> Iterator[dict[str, Any]]:
    write = WRITERS[tally.to]
    for position, example in enumerate(examples, 1):
        tally.trainable_pairs += example.trainable
        for line in write(example, position):
            tally.written += 1
            yield line
