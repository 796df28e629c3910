"""Rows of a dataset to training pairs: five formats in, conversations with one target out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from brightrun.sft.chat_rows import (
    AlpacaRow,
    Message,
    MessagesRow,
    ShareGptRow,
    Text,
    Turn,
    TurnsRow,
)
from brightrun.sft.errors import DatasetError

LISTED_SOURCES = 20
"""How many refused rows a report names before it only counts them."""

UNNAMED = "opening:"
"""What the names begin with that rows without a conversation id get."""

_LINES = (
    "a brightrun-lora-v4 pair (target_response), 'messages', 'conversations' (ShareGPT), 'turns' "
    "or 'instruction' (Alpaca)"
)
_WHOLE_DOCUMENTS = frozenset({"training_file_metadata", "dataset_metadata", "training_pairs"})


class _PairRow(msgspec.Struct):
    """A brightrun-lora-v4 line: one assistant answer with what came before it."""

    conversation_id: Text
    system_prompt: str | None = None
    conversation_history: list[Turn] = []
    current_user_input: str | None = None
    target_response: str | None = None


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
    """Every pair of the folder's .jsonl files, in file and line order.

    An answer that ends in a backslash was cut off when it was written: it is refused and
    counted, never trained on. Raises DatasetError for a row of an unknown shape, with its line.
    """
    pairs: list[TrainingPair] = []
    for path in dataset_files(folder):
        with path.open("rb") as lines:
            pairs += pairs_of_lines(lines, path.name, report)
    return pairs


def dataset_files(folder: Path) -> list[Path]:
    """The folder's .jsonl files by name; DatasetError when there is none."""
    paths = sorted(folder.glob("*.jsonl")) if folder.is_dir() else []
    if not paths:
        raise DatasetError(f"no .jsonl file in {folder}; put the dataset into that channel.")
    return paths


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
        row = _decoded(line, source)
        if row is not None:
            rows += 1
            yield row, source
    report.rows += rows
    sha256 = digest.hexdigest()
    report.files.append(
        {"name": name, "rows": rows, "lines": number, "bytes": size, "sha256": sha256}
    )


def _decoded(line: bytes, source: str) -> dict[str, Any] | None:
    """The row of a line; None for a blank line and for the one that holds `_meta`."""
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
    return None if "_meta" in row else row


def _whole_document(source: str) -> DatasetError:
    return DatasetError(
        f"{source}: a whole JSON document, not one record a line; convert it first: "
        "brightrun convert FILE --to v4-jsonl -o OUT.jsonl"
    )


def _pairs_of(row: Mapping[str, Any], source: str, report: DataReport) -> list[TrainingPair]:
    """The pairs of a row; of several known keys the first decides, as brightrun.formats has it."""
    if not _WHOLE_DOCUMENTS.isdisjoint(row):
        raise _whole_document(source)
    try:
        if "target_response" in row:
            return _answer_of_pair(msgspec.convert(row, _PairRow), source, report)
        if "messages" in row:
            return _answers_of_unnamed(msgspec.convert(row, MessagesRow).messages, source, report)
        if "conversations" in row:
            return _answers_of_unnamed(msgspec.convert(row, ShareGptRow).turns(), source, report)
        if "turns" in row:
            line = msgspec.convert(row, TurnsRow)
            return _answers(line.conversation_id, line.turns, source, report)
        if "instruction" in row:
            return _answer_of_alpaca(msgspec.convert(row, AlpacaRow), source, report)
    except msgspec.ValidationError as error:
        raise DatasetError(f"{source}: {error}.") from error
    raise DatasetError(f"{source}: expected {_LINES}; got the keys {sorted(row)[:8]}.")


def _answer_of_alpaca(row: AlpacaRow, source: str, report: DataReport) -> list[TrainingPair]:
    if not row.output.strip():
        report.without_target += 1
        return []
    if not row.asked:
        report.without_prompt += 1
        return []
    return _answers_of_unnamed(row.turns(), source, report)


def _answer_of_pair(row: _PairRow, source: str, report: DataReport) -> list[TrainingPair]:
    if not row.target_response or not row.target_response.strip():
        report.without_target += 1
        return []
    if not row.current_user_input or not row.current_user_input.strip():
        report.without_prompt += 1
        return []
    history = [turn.message() for turn in row.conversation_history]
    prompt = {"role": "user", "content": row.current_user_input}
    if history and history[-1] == prompt:  # v4 histories already end with the current user turn
        history.pop()
        report.duplicated_turns_dropped += 1
    if _is_refused(row.target_response, source, report):
        return []
    prompt_text = row.system_prompt or ""
    system = [{"role": "system", "content": prompt_text}] if prompt_text.strip() else []
    answer = {"role": "assistant", "content": row.target_response}
    return [TrainingPair(row.conversation_id, (*system, *history, prompt, answer), source)]


def _answers_of_unnamed(
    turns: Sequence[Turn], source: str, report: DataReport
) -> list[TrainingPair]:
    return _answers(group_key([turn.message() for turn in turns]), turns, source, report)


def _answers(
    conversation_id: str, turns: Sequence[Turn], source: str, report: DataReport
) -> list[TrainingPair]:
    messages = [turn.message() for turn in turns]
    pairs = []
    for position, turn in enumerate(turns):
        if turn.role != "assistant":
            continue
        if turn.weight == 0:
            report.weight_zero += 1
        elif position == 0 or turns[position - 1].role != "user":
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
