"""Rows of a dataset to training pairs: any known format in, conversations with one target out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from brightrun.formats import (
    PlacedRecord,
    Problems,
    Readable,
    Reading,
    RecordFile,
    message_of,
    repeats_user_turn,
)
from brightrun.sft.errors import DatasetError

LISTED_SOURCES = 20
"""How many refused rows a report names before it only counts them."""

UNNAMED = "opening:"
"""What the names begin with that rows without a conversation id get."""

Message = dict[str, str]
"""A turn as a chat template takes it: `role` and `content`."""

Sampled = Callable[[RecordFile], Iterable[PlacedRecord]]
"""Lets a part of a file's records through."""


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


class TemplateRefusal(msgspec.Struct):
    """Pairs that the chat template cannot teach for one reason; `message` is that of the first.

    Codes: those of `AnswerRefusedError` in spans.py.
    """

    code: str
    message: str
    pairs: int
    sources: list[str]


class DataReport(msgspec.Struct):
    """What became of every row; written to results.json.

    `refused` rows have an error, which `refused_codes` counts by code: those of the validator.
    `file_errors` say what is wrong with a file around its rows. `truncated_tokens` are those of
    dropped turns and of pairs that were too long; a row `without_trained_tokens` gave nothing to
    learn, for whichever reason.
    """

    rows: int = 0
    pairs: int = 0
    refused: int = 0
    refused_codes: dict[str, int] = {}
    refused_sources: list[str] = []
    first_refusal: str = ""
    file_errors: list[str] = []
    without_target: int = 0
    weight_zero: int = 0
    cut_off: int = 0
    cut_off_sources: list[str] = []
    duplicated_turns_dropped: int = 0
    pairs_with_dropped_history: int = 0
    history_turns_dropped: int = 0
    pairs_too_long: int = 0
    too_long_sources: list[str] = []
    truncated_tokens: int = 0
    refused_by_template: int = 0
    template_refusals: list[TemplateRefusal] = []
    rows_without_trained_tokens: int = 0
    rows_without_trained_tokens_sources: list[str] = []
    system_folded_into_user: bool = False
    files: list[dict[str, Any]] = []

    def refuse(self, code: str, message: str, source: str) -> None:
        """Count a pair that the chat template cannot teach."""
        self.refused_by_template += 1
        for known in self.template_refusals:
            if known.code == code:
                known.pairs += 1
                listed(known.sources, source)
                return
        self.template_refusals.append(TemplateRefusal(code, message, 1, [source]))


def read_pairs(folder: Path, report: DataReport) -> list[TrainingPair]:
    """Every pair of the folder's files, in file and line order.

    An answer that ends in a backslash was cut off when it was written: it is counted, never
    trained on. Raises DatasetError for a file that holds no records at all.
    """
    pairs: list[TrainingPair] = []
    for path in dataset_files(folder):
        with path.open("rb") as source:
            pairs += pairs_of_file(source, path.name, report)
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


def pairs_of_file(
    source: Readable, name: str, report: DataReport, sampled: Sampled = iter
) -> list[TrainingPair]:
    """Every pair of one file, or of a part of its records.

    A row with an error gives none and is counted. Raises DatasetError for a file without a single
    record of a known format: an archive, a table of something else, plain text.
    """
    pairs: list[TrainingPair] = []
    file = RecordFile(source)
    for record in sampled(file):
        place = f"{name}:{record.number}"
        if record.reading is None:
            _refuse(record.problems, place, f"{name}, {file.source.where(record.number)}", report)
            continue
        found = _pairs_of(record.reading, record.problems, place, report)
        if not found:
            report.rows_without_trained_tokens += 1
            listed(report.rows_without_trained_tokens_sources, place)
        pairs += found
    _take_file(file, name, report)
    report.pairs += len(pairs)
    return pairs


def _take_file(file: RecordFile, name: str, report: DataReport) -> None:
    file.source.finish()
    errors = file.file_errors()
    if file.source.is_refused:
        raise DatasetError(f"{name}: {' '.join(errors)}")
    if file.reader.format is None:
        why = report.first_refusal or f"{name}: {' '.join(errors) or message_of('empty_file')}"
        raise DatasetError(why)
    if code := file.reader.format.untrained_because:
        raise DatasetError(f"{name}: {message_of(code)}")
    report.file_errors += [f"{name}: {error}" for error in errors]
    rows = file.reader.records
    report.rows += rows
    report.files.append(
        {
            "name": name,
            "rows": rows,
            "lines": file.lines,
            "bytes": file.source.size,
            "sha256": file.source.sha256(),
        }
    )


def _refuse(problems: Problems, place: str, where: str, report: DataReport) -> None:
    report.refused += 1
    for code in problems.codes:
        report.refused_codes[code] = report.refused_codes.get(code, 0) + 1
    listed(report.refused_sources, place)
    report.first_refusal = report.first_refusal or f"{where}: {problems.reason()}"


def listed(sources: list[str], source: str) -> None:
    """Name the source, unless LISTED_SOURCES are named already."""
    if len(sources) < LISTED_SOURCES:
        sources.append(source)


def named(reading: Reading) -> tuple[str, list[Message]]:
    """The name of a row's conversation, made of its opening where it has none; its messages."""
    messages = [{"role": turn.role, "content": turn.text} for turn in reading.turns]
    return reading.conversation_id or group_key(messages), messages


def _pairs_of(
    reading: Reading, problems: Problems, source: str, report: DataReport
) -> list[TrainingPair]:
    conversation_id, messages = named(reading)
    turns = reading.turns
    cut = sum(problem.code == "cut_text" for problem in problems.noted)
    report.cut_off += cut
    if cut:
        listed(report.cut_off_sources, source)
    report.duplicated_turns_dropped += repeats_user_turn(reading.record)
    trained = [at for at, turn in enumerate(turns) if turn.trains]
    if reading.format.one_record_per_conversation:
        answers = sum(turn.role == "assistant" for turn in turns)
        report.weight_zero += answers - len(trained) - cut
    elif not trained and not cut:
        report.without_target += 1
    return [TrainingPair(conversation_id, tuple(messages[: at + 1]), source) for at in trained]


def group_key(messages: Sequence[Message]) -> str:
    """Lines without an id that open alike count as one conversation, so that none leaks."""
    first = next((i for i, message in enumerate(messages) if message["role"] == "user"), 0)
    opening = [message["content"] for message in messages[: first + 1]]
    return UNNAMED + hashlib.sha256("\x00".join(opening).encode()).hexdigest()
