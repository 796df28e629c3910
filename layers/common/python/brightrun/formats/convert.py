"""Turns a training file of any known format into another, offline.

Sources are streamed, and so are JSONL targets; a training.json target is held in memory, and so is
a whole file of ours that becomes a v4 form, because its totals stand before its content.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from brightrun.formats.codes import codes, message_of
from brightrun.formats.containers import unpacked
from brightrun.formats.detect import Detection
from brightrun.formats.errors import (
    NotAnOutputFormatError,
    NothingToTrainError,
    OutputExistsError,
    RecordError,
    UnknownFormatError,
    UnreadableFileError,
)
from brightrun.formats.format import FORMATS, writable
from brightrun.formats.lines import LONGEST_LINE
from brightrun.formats.model import Example, Format, Reading
from brightrun.formats.reader import PlacedRecord, RecordFile
from brightrun.formats.rules import pointer
from brightrun.formats.strict_json import DEEPEST, compact, depth, indented, loads
from brightrun.formats.tally import Conversion
from brightrun.formats.v4 import is_trainable
from brightrun.formats.v4_files import (
    ENRICHED,
    V4_JSON,
    V4Document,
    document_of_lines,
    meta_line,
    read_document,
    training_document,
)

__all__ = ["Conversion", "convert", "convert_file"]

_UNKNOWN = frozenset({"unknown_format", "invalid_json", "not_an_object", "raw_conversation"})
_AROUND_FIELDS = 2  # levels: the record, and the metadata in it
_IN_A_TURN = re.compile(r"/([^/]+)/\d+/([^/]+)")


def convert(
    source: BinaryIO,
    to: str,
    out: BinaryIO,
    *,
    name: str = "dataset",
    created: str | None = None,
    merges_turns: bool = False,
) -> Conversion:
    """Detect what `source` is and write it to `out` in the format named `to`.

    Between v4 forms pairs stay as they came. Only records that the validator finds sound are
    carried over, and all others are counted by code; `messages` keeps one line per record, while
    conversation lines and ShareGPT join the pairs of one conversation. `name` is the file name to
    record where the source has none, `created` an ISO-8601 time for a training.json's header,
    `merges_turns` joins neighbouring turns of one role. Raises UnknownFormatError,
    UnreadableFileError, NotAnOutputFormatError, NothingToTrainError.
    """
    return _Converter(_target(to), name, created, merges_turns).run(source, out)


def _target(name: str) -> Format:
    found = FORMATS.get(name)
    if found is None or found.write is None:
        known = f"{found.title} can be read but not written" if found else f"{name!r} is no format"
        raise NotAnOutputFormatError(f"{known}; choose one of {', '.join(writable())}.")
    return found


def convert_file(
    source: Path,
    to: str,
    target: Path,
    *,
    created: str | None = None,
    merges_turns: bool = False,
    overwrites: bool = False,
) -> Conversion:
    """Convert a file on disk; `target` appears only when it is complete.

    Raises what `convert` does, and OutputExistsError for a target that is there, unless it
    `overwrites`.
    """
    if target.exists() and not overwrites:
        raise OutputExistsError(f"{target} is there already.")
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with source.open("rb") as read, partial.open("xb") as write:
            result = convert(
                read, to, write, name=source.stem, created=created, merges_turns=merges_turns
            )
            write.flush()
            os.fsync(write.fileno())
        os.replace(partial, target)  # noqa: PTH105 - atomic on POSIX, over an existing file too
    finally:
        partial.unlink(missing_ok=True)
    return result


class _Converter:
    """One conversion."""

    def __init__(self, target: Format, name: str, created: str | None, merges_turns: bool) -> None:
        self._tally = Conversion(target, name)
        self._created = created
        self._merges_turns = merges_turns

    def run(self, source: BinaryIO, out: BinaryIO) -> Conversion:
        """Read everything and write what is sound."""
        tally = self._tally
        file = RecordFile(source, merges_turns=self._merges_turns, reads_parquet=True)
        found = file.source.detection
        if found and found.format.pairs_as_stored and tally.to.pairs_as_stored:
            if found.format.is_whole_file:
                self._whole_within_v4(file, source, out)
            else:
                self._write(self._pairs(file), out)
        else:
            self._write(self._converted(file), out)
        self._end(file)
        return tally

    def _end(self, file: RecordFile) -> None:
        tally, found = self._tally, file.source.detection
        tally.records = file.reader.records
        tally.file_errors = file.file_errors()
        if found:
            tally.detected = found
        elif file.reader.format:
            tally.detected = Detection(file.reader.format, file.reader.detected_by)
        if not tally.trainable_pairs:
            raise self._nothing(file)

    def _nothing(self, file: RecordFile) -> Exception:
        tally, details = self._tally, dict(self._tally.left_out)
        for one in file.source.problems:
            row = codes()[one.code]
            if row.severity == "error":
                text = f"{one.message} {row.hint}"
                return UnreadableFileError(text, details=details, code=one.code)
        if not tally.records:
            return UnknownFormatError(f"{message_of('empty_file')} Nothing was written.")
        first = tally.warnings[0] if tally.warnings else ""
        if file.reader.format and (code := file.reader.format.untrained_because):
            first = message_of(code)
        if tally.cut_off:
            first = f"{message_of('cut_text', f'{tally.cut_off} answers')} {first}"
        if file.reader.format is None:
            kind = UnknownFormatError if details.keys() <= _UNKNOWN else UnreadableFileError
            return kind(f"This is none of the formats we read. {first}".rstrip(), details=details)
        none = "The file's only record cannot"
        if tally.records > 1:
            none = f"None of the file's {tally.records:,} records can"
        return NothingToTrainError(
            f"{none} be trained on, so nothing was written. {first}".rstrip(), details=details
        )

    def _sound(self, file: RecordFile) -> Iterator[tuple[Reading, PlacedRecord]]:
        """The readings of the records that are not refused."""
        for one in file:
            self._tally.meta = file.reader.meta
            if one.reading is None:
                problems = one.problems
                self._tally.refuse(file.source.where(one.number), problems.codes, problems.reason())
            else:
                cut = sum(problem.code == "cut_text" for problem in one.problems.noted)
                self._tally.cut_off += cut
                yield one.reading, one

    def _converted(self, file: RecordFile) -> Iterator[dict[str, Any]]:
        """The records in the target's format."""
        examples = self._examples(file)
        tally = self._tally
        joined = merged(examples, tally) if tally.to.joins_pairs else examples
        for position, example in enumerate(joined, 1):
            records = list(tally.to.records(example, position))
            if any(len(compact(record).encode()) > LONGEST_LINE for record in records):
                reason = f"{message_of('line_too_long')} {codes()['line_too_long'].hint}"
                tally.refuse(f"record {position} of the output", {"line_too_long"}, reason)
                continue
            tally.trainable_pairs += example.trainable
            tally.lost_fields.update(tally.to.lost(example))
            if not tally.to.one_record_per_conversation:
                tally.turns_left_out += example.unlearned_end
            yield from records

    def _examples(self, file: RecordFile) -> Iterator[Example]:
        for reading, one in self._sound(file):
            example = reading.example()
            if not example.trainable:
                self._tally.untrainable += 1
                self._tally.not_written += 1
                continue
            self._tally.lost_fields.update(_lost_in_turns(one) | _lost_beside(one, example))
            yield _without_deep_fields(example, self._tally)

    def _pairs(self, file: RecordFile) -> Iterator[dict[str, Any]]:
        """The pairs of a v4 file as they came."""
        for reading, _ in self._sound(file):
            trainable = is_trainable(reading.record) and any(m.trains for m in reading.messages)
            self._tally.trainable_pairs += trainable
            self._tally.untrainable += not trainable
            yield dict(reading.record)

    def _write(self, records: Iterable[dict[str, Any]], out: BinaryIO) -> None:
        tally = self._tally
        if tally.to.write_document is not None:
            lines: list[Mapping[str, Any]] = list(records)
            tally.written = len(lines)
            self._take_meta(len(lines))
            document = tally.to.write_document(lines, tally.file_name, self._created)
            out.write(indented(document).encode())
            return
        writer = LineWriter(out)
        for record in records:
            if not tally.written and tally.meta is not None and tally.to.pairs_as_stored:
                writer.write({"_meta": tally.meta})
            writer.write(record)
            tally.written += 1

    def _take_meta(self, written: int) -> None:
        """Say so where `_meta` counted pairs without a target, which JSONL does not hold."""
        meta = self._tally.meta or {}
        self._tally.file_name = str(meta.get("file_name", self._tally.file_name))
        claimed = meta.get("total_pairs", written)
        if claimed != written:
            held = f"the file holds {written}; written as held"
            self._tally.warn(f"_meta says {claimed} pairs, {held}")

    def _whole_within_v4(self, file: RecordFile, source: BinaryIO, out: BinaryIO) -> None:
        """Write training.json or enriched JSON as training.json or JSONL, with its own header."""
        kept = [dict(pair) for pair in self._pairs(file)]
        whole = None if file.refused else _whole_document(source)
        if whole is None:  # several documents, or pairs that are left out
            lines = document_of_lines(kept, self._tally.file_name, self._created)
            whole = read_document(lines, V4_JSON)
        self._tally.file_name = whole.file_name
        if self._tally.to.is_whole_file:
            self._tally.written = whole.total_pairs
            out.write(indented(training_document(whole, self._created)).encode())
            return
        claimed = whole.header.get("total_training_pairs", whole.total_pairs)
        if claimed != whole.total_pairs:
            self._tally.warn(f"the header says {claimed} pairs, the file holds {whole.total_pairs}")
        writer = LineWriter(out)
        writer.write(meta_line(whole.file_name, whole.total_pairs))
        for line in kept:
            if line.get("target_response") is None:
                self._tally.not_written += 1
                continue
            writer.write(line)
            self._tally.written += 1


def _whole_document(source: BinaryIO) -> V4Document | None:
    """The one document of ours that a file holds; None for several."""
    source.seek(0)
    try:
        value = loads(unpacked(source.read()))
    except RecordError:
        return None
    if not isinstance(value, dict):
        return None
    return read_document(value, V4_JSON if "training_file_metadata" in value else ENRICHED)


def _lost_in_turns(one: PlacedRecord) -> set[str]:
    """The names of a record's turn fields that are not read, such as `messages[].name`."""
    places = [problem.place for problem in one.problems.noted if problem.code == "extra_field"]
    found = {_IN_A_TURN.fullmatch(place) for place in places}
    lost = {f"{match[1]}[].{match[2]}" for match in found if match}
    if one.reading is not None and (rules := one.reading.format.rules) and rules.shape:
        turns = rules.shape.turns
        about = [name for name, kind in turns.fields.items() if kind == "any"] if turns else []
        for name in about[1:]:  # the first counts the turns, which their order does
            held = one.reading.record.get(turns.field if turns else "", ())
            if any(isinstance(turn, dict) and turn.get(name) is not None for turn in held):
                lost.add(f"{turns.field if turns else ''}[].{name}")
    return lost


def _lost_beside(one: PlacedRecord, example: Example) -> set[str]:
    """The names of a record's fields that are not read, and that another one stands in for."""
    record = one.reading.record if one.reading is not None else {}
    places = [problem.place for problem in one.problems.noted if problem.code == "extra_field"]
    return {
        name
        for name, value in record.items()
        if pointer(name) in places and example.fields.get(name) != value
    }


def _without_deep_fields(example: Example, tally: Conversion) -> Example:
    """Leave out, and count, fields that nest too deeply for metadata, where they would go."""
    deep = {
        name
        for name, value in example.fields.items()
        if isinstance(value, dict | list) and depth(value) > DEEPEST - _AROUND_FIELDS
    }
    if not deep:
        return example
    tally.lost_fields.update(deep)
    return replace(example, fields={n: v for n, v in example.fields.items() if n not in deep})


def merged(examples: Iterable[Example], tally: Conversion) -> Iterator[Example]:
    """Yield the longest example of each run of prefixes; answers that trained in any of them train.

    A v4 file stores a conversation of n answers as n pairs, each with the earlier turns as history;
    a conversation line holds it once. Neighbours are joined when they name the same conversation,
    have the same system prompt and the shorter one's text opens the longer one. One example is held
    in memory; fields in which the joined ones differ are lost, and counted.
    """
    held: Example | None = None
    for example in examples:
        joined = _joined(held, example) if held else None
        if held and not joined:
            yield held
        if held and joined:
            names = held.fields.keys() | example.fields.keys()
            tally.lost_fields.update(names - joined.fields.keys())
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
    shared = {n: v for n, v in first.fields.items() if second.fields.get(n) == v}
    return replace(second, turns=turns + second.turns[len(first.turns) :], fields=shared)


class LineWriter:
    """Writes JSON Lines as the product does: compact, LF between lines, none after the last."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._between = b""

    def write(self, record: dict[str, Any]) -> None:
        """Append one record."""
        self._out.write(self._between + compact(record).encode())
        self._between = b"\n"
