"""Turns a training file of any known format into another, offline.

JSONL sources and targets are streamed; training.json, enriched files, JSON arrays and a
training.json target are held in memory, because their totals stand before their content.
"""

import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from brightrun.formats.detect import HEAD_BYTES, detect
from brightrun.formats.errors import NotAnOutputFormatError, NothingToTrainError, RecordError
from brightrun.formats.format import FORMATS, writable
from brightrun.formats.model import Example, Format, fault_in
from brightrun.formats.records import (
    LineWriter,
    Placed,
    pairs_of_document,
    records_of,
    whole_document,
)
from brightrun.formats.strict_json import indented
from brightrun.formats.tally import Conversion
from brightrun.formats.v4 import is_trainable
from brightrun.formats.v4_convert import convert_within_v4
from brightrun.formats.v4_files import read_document

__all__ = ["Conversion", "convert", "convert_file"]


def convert(
    source: BinaryIO,
    to: str,
    out: BinaryIO,
    *,
    name: str = "dataset",
    created: str | None = None,
) -> Conversion:
    """Detect what `source` is and write it to `out` in the format named `to`.

    Between v4 forms pairs stay as they came.  Elsewhere only sound examples are carried over and
    every record left out is counted with its reason; `messages` keeps one line per example, while
    conversation lines and ShareGPT join the pairs of one conversation.  `name` is the file name to
    record where the source has none, `created` an ISO-8601 time for a training.json's header.
    Raises UnknownFormatError, UnreadableFileError, NotAnOutputFormatError, NothingToTrainError.
    """
    target = _target(to)
    reader = io.BufferedReader(cast("io.RawIOBase", source), HEAD_BYTES)  # any binary file will do
    try:
        tally = Conversion(detect(reader.peek(HEAD_BYTES)), target, name)
        if tally.detected.format.pairs_as_stored and target.pairs_as_stored:
            convert_within_v4(reader, out, tally, created)
        else:
            _write(merged_if_due(_examples(reader, tally), target), out, tally, created)
    finally:
        reader.detach()
    if not tally.trainable_pairs:
        raise NothingToTrainError(
            f"Not one of the {tally.records} records can be trained on, so nothing was written.",
            details=dict(tally.left_out),
        )
    return tally


def _target(name: str) -> Format:
    found = FORMATS.get(name)
    if found is None or found.write is None:
        known = f"{found.title} can be read but not written" if found else f"{name!r} is no format"
        raise NotAnOutputFormatError(f"{known}; choose one of {', '.join(writable())}.")
    return found


def convert_file(source: Path, to: str, target: Path, *, created: str | None = None) -> Conversion:
    """Convert a file on disk; `target` appears only when it is complete."""
    partial = target.with_name(f"{target.name}.partial")
    try:
        with source.open("rb") as read, partial.open("wb") as write:
            result = convert(read, to, write, name=source.stem, created=created)
        os.replace(partial, target)  # noqa: PTH105 - atomic on POSIX, over an existing file too
    finally:
        partial.unlink(missing_ok=True)
    return result


def merged_if_due(examples: Iterable[Example], to: Format) -> Iterable[Example]:
    """Join the pairs of one conversation where the target format holds conversations whole."""
    return merged(examples) if to.joins_pairs else examples


def _placed_records(reader: BinaryIO, tally: Conversion) -> Iterator[Placed]:
    source = tally.detected.format
    if source.is_whole_file:
        return pairs_of_document(read_document(whole_document(reader), source), tally)
    return records_of(reader, tally)


def _examples(reader: BinaryIO, tally: Conversion) -> Iterator[Example]:
    """Read the sound examples of a file, cut after their last trained answer."""
    source = tally.detected.format
    for place, record in _placed_records(reader, tally):
        if source.pairs_as_stored and not is_trainable(record):
            tally.untrainable += 1
            continue
        try:
            example = source.read(record).up_to_last_answer()
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
    if tally.to.write_document is not None:
        document = tally.to.write_document(list(lines), tally.file_name, created)
        out.write(indented(document).encode())
        return
    writer = LineWriter(out)
    for line in lines:
        writer.write(line)


def _lines(examples: Iterable[Example], tally: Conversion) -> Iterator[dict[str, Any]]:
    for position, example in enumerate(examples, 1):
        tally.trainable_pairs += example.trainable
        for line in tally.to.records(example, position):
            tally.written += 1
            yield line


def merged(examples: Iterable[Example]) -> Iterator[Example]:
    """Yield the longest example of each run of prefixes; answers that trained in any of them train.

    A v4 file stores a conversation of n answers as n pairs, each with the earlier turns as history;
    a conversation line holds it once.  Neighbours are joined when they name the same conversation,
    have the same system prompt and the shorter one's text opens the longer one.  One example is
    held in memory.
    """
    held: Example | None = None
    for example in examples:
        joined = _joined(held, example) if held else None
        if held and not joined:
            yield held
        held = joined or example
    if held:
        yield held


def _joined(first: Example, second: Example) -> Example | None:
    if not first.conversation_id or first.conversation_id != second.conversation_id:
        return None
    if first.system != second.system or len(first.turns) > len(second.turns):
        return None
    pairs = list(zip(first.turns, second.turns, strict=False))
    if any((a.role, a.content) != (b.role, b.content) for a, b in pairs):
        return None
    if any(a.trains and b.trains for a, b in pairs):
        return None  # the same answer trains in both: one of them would be lost
    turns = tuple(replace(b, trains=a.trains or b.trains) for a, b in pairs)
    about = first.fields.get("conversation_metadata")
    return replace(
        second,
        turns=turns + second.turns[len(first.turns) :],
        fields={"conversation_metadata": about} if about else {},
    )
