"""Rows of a dataset to training pairs: any known format in, conversations with one target out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from brightrun.formats.errors import RecordError
from brightrun.formats.format import META, format_of, line_formats
from brightrun.formats.model import Row
from brightrun.formats.v4_files import V4_JSONL
from brightrun.sft.errors import DatasetError

LISTED_SOURCES = 20
"""How many refused rows a report names before it only counts them."""

UNNAMED = "opening:"
"""What the names begin with that rows without a conversation id get."""

Message = dict[str, str]
"""A turn as a chat template takes it: `role` and `content`."""


@dataclass(frozen=True)
class TrainingPair:
    """One answer to learn: `messages` ends with it, everything before is its context."""

    conversation_id: str
    messages: tuple[Message, ...]
    source: str

    @property
    def line(self) -> int:
        """The line of its file that it came from, counted from 1, blank lines included."""
        return int(self.source.rpartition(":")[2])


class DataReport(msgspec.Struct):
    """What became of every row; written to results.json.

    `truncated_tokens` are those of dropped turns and of pairs that were too long; a row
    `without_trained_tokens` gave nothing to learn, for whichever reason.
    """

    rows: int = 0
    pairs: int = 0
    without_target: int = 0
    without_prompt: int = 0
    weight_zero: int = 0
    cut_off: int = 0
    cut_off_sources: list[str] = []
    duplicated_turns_dropped: int = 0
    pairs_with_dropped_history: int = 0
    history_turns_dropped: int = 0
    pairs_too_long: int = 0
    too_long_sources: list[str] = []
    truncated_tokens: int = 0
    rows_without_trained_tokens: int = 0
    rows_without_trained_tokens_sources: list[str] = []
    system_folded_into_user: bool = False
    files: list[dict[str, Any]] = []


def read_pairs(folder: Path, report: DataReport) -> list[TrainingPair]:
    """Every pair of the folder's files, in file and line order.

    An answer that ends in a backslash was cut off when it was written: it is refused and
    counted, never trained on. Raises DatasetError for a row of an unknown shape, with its line.
    """
    pairs: list[TrainingPair] = []
    for path in dataset_files(folder):
        with path.open("rb") as lines:
            pairs += pairs_of_lines(lines, path.name, report)
    return pairs


def dataset_files(folder: Path) -> list[Path]:
    """The folder's files by name, whatever they are called; DatasetError when there is none.

    Where some end in .jsonl, in any case, those alone are the dataset. Hidden files, files that
    begin with an underscore (markers of other tools) and subfolders never belong to it.
    """
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    paths = [path for path in found if path.is_file() and path.name[0] not in "._"]
    if not paths:
        raise DatasetError(f"no dataset file in {folder}; put the dataset into that channel.")
    return [path for path in paths if path.suffix.lower() == ".jsonl"] or paths


def pairs_of_lines(lines: Iterable[bytes], name: str, report: DataReport) -> list[TrainingPair]:
    """Every pair of one file's lines; raises DatasetError with `name` and the line."""
    pairs: list[TrainingPair] = []
    for row, source in _rows(lines, name, report):
        found = _pairs_of(row, source, report)
        if not found:
            report.rows_without_trained_tokens += 1
            listed(report.rows_without_trained_tokens_sources, source)
        pairs += found
    report.pairs += len(pairs)
    return pairs


def listed(sources: list[str], source: str) -> None:
    """Name the source, unless LISTED_SOURCES are named already."""
    if len(sources) < LISTED_SOURCES:
        sources.append(source)


def _rows(
    lines: Iterable[bytes], name: str, report: DataReport
) -> Iterator[tuple[dict[str, Any], str]]:
    digest, rows, size, number = hashlib.sha256(), 0, 0, 0
    for number, line in enumerate(lines, 1):  # noqa: B007 - the last one is how many there are
        digest.update(line)
        size += len(line)
        source = f"{name}:{number}"
        row = decoded(line, source)
        if row is not None:
            rows += 1
            yield row, source
    report.rows += rows
    sha256 = digest.hexdigest()
    report.files.append(
        {"name": name, "rows": rows, "lines": number, "bytes": size, "sha256": sha256}
    )


def decoded(line: bytes, source: str) -> dict[str, Any] | None:
    """The row of a line; None for a blank line and for the one that is about the file."""
    if not line.strip():
        return None
    try:
        row = msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        if line.strip() in (b"{", b"["):
            raise _whole_document(source) from error
        raise DatasetError(f"{source}: not JSON ({error}).") from error
    if not isinstance(row, dict):
        raise DatasetError(f"{source}: expected a JSON object, got {type(row).__name__}.")
    return None if META in row else row


def _whole_document(source: str) -> DatasetError:
    return DatasetError(
        f"{source}: a whole JSON document, not one record a line; convert it first: "
        f"brightrun convert FILE --to {V4_JSONL.name} -o OUT.jsonl"
    )


def _pairs_of(record: Mapping[str, Any], source: str, report: DataReport) -> list[TrainingPair]:
    row = row_of(record, source)
    if row.untrained == "without_target":
        report.without_target += 1
    elif row.untrained == "without_prompt":
        report.without_prompt += 1
    report.duplicated_turns_dropped += row.repeats_user_turn
    return _answers(row, source, report)


def row_of(record: Mapping[str, Any], source: str) -> Row:
    """A record as its format reads it; of several known keys the strongest decides.

    Raises DatasetError for a record of no known format, a whole document, or a broken field.
    """
    found = format_of(record)
    if found is None:
        raise DatasetError(f"{source}: expected {_known()}; got the keys {sorted(record)[:8]}.")
    if found[0].is_whole_file:
        raise _whole_document(source)
    try:
        return found[0].row(record)
    except RecordError as error:
        raise DatasetError(f"{source}: {error.message}.") from error


def named(row: Row) -> tuple[str, list[Message]]:
    """The name of a row's conversation, made of its opening where it has none; its messages."""
    messages = [{"role": turn.role, "content": turn.content} for turn in row.turns]
    return row.conversation_id or group_key(messages), messages


def _known() -> str:
    *first, last = [entry.described or entry.title for entry in line_formats()]
    return f"{', '.join(first)} or {last}"


def _answers(row: Row, source: str, report: DataReport) -> list[TrainingPair]:
    conversation_id, messages = named(row)
    pairs = []
    for position in range(row.context, len(messages)):
        turn = row.turns[position]
        if turn.role != "assistant":
            continue
        if turn.weight == 0:
            report.weight_zero += 1
        elif position == 0 or row.turns[position - 1].role != "user":
            report.without_prompt += 1
        elif not _is_refused(turn.content, source, report):
            pairs.append(TrainingPair(conversation_id, tuple(messages[: position + 1]), source))
    return pairs


def _is_refused(answer: str, source: str, report: DataReport) -> bool:
    if not answer.rstrip().endswith("\\"):
        return False
    report.cut_off += 1
    listed(report.cut_off_sources, source)
    return True


def group_key(messages: Sequence[Message]) -> str:
    """Lines without an id that open alike count as one conversation, so that none leaks."""
    first = next((i for i, message in enumerate(messages) if message["role"] == "user"), 0)
    opening = [message["content"] for message in messages[: first + 1]]
    return UNNAMED + hashlib.sha256("\x00".join(opening).encode()).hexdigest()
