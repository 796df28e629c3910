"""Between the v4 forms: pairs stay as they came, only the file around them changes."""

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from brightrun.formats.errors import RecordError
from brightrun.formats.model import fault_in
from brightrun.formats.records import (
    LineWriter,
    Placed,
    pairs_of_document,
    records_of,
    whole_document,
)
from brightrun.formats.strict_json import indented
from brightrun.formats.tally import Conversion
from brightrun.formats.v4 import example_of, is_trainable
from brightrun.formats.v4_files import (
    V4Document,
    document_of_lines,
    meta_line,
    read_document,
    training_document,
)


def convert_within_v4(
    source: BinaryIO, out: BinaryIO, tally: Conversion, created: str | None
) -> None:
    """Write training.json, enriched JSON or JSONL as training.json or JSONL."""
    stored = tally.detected.format
    if not stored.is_whole_file:
        _from_lines(source, out, tally, created)
        return
    document = read_document(whole_document(source), stored)
    kept = _counted(pairs_of_document(document, tally), tally)
    if not tally.to.is_whole_file:
        _write_lines(document, kept, out, tally)
    else:
        tally.written = sum(1 for _ in kept)
        out.write(indented(training_document(document, created)).encode())


def _counted(placed: Iterable[Placed], tally: Conversion) -> Iterator[dict[str, Any]]:
    """Count pairs as they pass; one that cannot be trained as it stands is named, and kept."""
    for place, line in placed:
        if not is_trainable(line):
            tally.untrainable += 1
        else:
            tally.trainable_pairs += 1
            fault = _fault(line)
            if fault:
                tally.warn(f"{place}: kept as it came, but {fault}")
        yield line


def _fault(line: dict[str, Any]) -> str | None:
    try:
        return fault_in(example_of(line))
    except RecordError as error:
        return error.message


def _write_lines(
    document: V4Document, lines: Iterable[dict[str, Any]], out: BinaryIO, tally: Conversion
) -> None:
    """Write `_meta` and every pair whose target is not null: a blank one stays (1.5)."""
    claimed = document.header.get("total_training_pairs", document.total_pairs)
    if claimed != document.total_pairs:
        tally.warn(f"the header says {claimed} pairs, the file holds {document.total_pairs}")
    writer = LineWriter(out)
    writer.write(meta_line(document.file_name, document.total_pairs))
    for line in lines:
        if line.get("target_response") is not None:
            writer.write(line)
            tally.written += 1


def _from_lines(source: BinaryIO, out: BinaryIO, tally: Conversion, created: str | None) -> None:
    lines = _counted(_named(records_of(source, tally), tally), tally)
    if tally.to.is_whole_file:
        gathered = list(lines)
        tally.written = len(gathered)
        _compare_with_meta(tally)
        document = document_of_lines(gathered, tally.file_name, created)
        out.write(indented(document).encode())
        return
    writer = LineWriter(out)
    for line in lines:
        if not tally.written and tally.meta is not None:
            writer.write({"_meta": tally.meta})
        writer.write(line)
        tally.written += 1


def _compare_with_meta(tally: Conversion) -> None:
    """Say so where `_meta` counted pairs without a target, which JSONL does not hold."""
    claimed = (tally.meta or {}).get("total_pairs", tally.written)
    if claimed != tally.written:
        tally.warn(f"_meta says {claimed} pairs, the file holds {tally.written}; written as held")


def _named(placed: Iterable[Placed], tally: Conversion) -> Iterator[Placed]:
    """Leave out lines that are no v4 pair at all: they belong to no conversation."""
    for place, line in placed:
        if isinstance(line.get("conversation_id"), str) and isinstance(line.get("id"), str):
            yield place, line
        else:
            tally.leave_out(place, "it has no id and conversation_id")
