"""Rows of a dataset to training pairs: three formats in, conversations with one target out.

Needs neither torch nor transformers, so that whatever counts rows elsewhere can count the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from training_container.trainer.errors import DatasetError

LISTED_SOURCES = 20
"""How many refused rows a report names before it only counts them."""

Message = dict[str, str]
Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Turn(msgspec.Struct):
    role: Literal["system", "user", "assistant"]
    content: Text
    weight: Literal[0, 1] = 1

    def message(self) -> Message:
        return {"role": self.role, "content": self.content}


class _PairRow(msgspec.Struct):
    """A brightrun-lora-v4 line: one assistant answer with what came before it."""

    conversation_id: Text
    system_prompt: str | None = None
    conversation_history: list[_Turn] = []
    current_user_input: str | None = None
    target_response: str | None = None


class _MessagesRow(msgspec.Struct):
    messages: Annotated[list[_Turn], msgspec.Meta(min_length=1)]


class _TurnsRow(msgspec.Struct):
    conversation_id: Text
    turns: Annotated[list[_Turn], msgspec.Meta(min_length=1)]


@dataclass(frozen=True)
class TrainingPair:
    """One answer to learn: `messages` ends with it, everything before is its context."""

    conversation_id: str
    messages: tuple[Message, ...]
    source: str


class DataReport(msgspec.Struct):
    """What became of every row; written to results.json."""

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
    system_folded_into_user: bool = False
    files: list[dict[str, Any]] = []


def read_pairs(folder: Path, report: DataReport) -> list[TrainingPair]:
    """Every pair of the folder's .jsonl files, in file and line order.

    An answer that ends in a backslash was cut off when it was written: it is refused and
    counted, never trained on. Raises DatasetError for a row of an unknown shape, with its line.
    """
    paths = sorted(folder.glob("*.jsonl")) if folder.is_dir() else []
    if not paths:
        raise DatasetError(f"no .jsonl file in {folder}; put the dataset into that channel.")
    pairs: list[TrainingPair] = []
    for path in paths:
        for row, source in _rows(path, report):
            pairs += _pairs_of(row, source, report)
    report.pairs += len(pairs)
    return pairs


def _rows(path: Path, report: DataReport) -> Iterator[tuple[dict[str, Any], str]]:
    digest, rows = hashlib.sha256(), 0
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            digest.update(line)
            source = f"{path.name}:{number}"
            try:
                row = msgspec.json.decode(line) if line.strip() else {"_meta": None}
            except msgspec.DecodeError as error:
                raise DatasetError(f"{source}: not JSON ({error}).") from error
            if not isinstance(row, dict):
                raise DatasetError(f"{source}: expected a JSON object, got {type(row).__name__}.")
            if "_meta" not in row:
                rows += 1
                yield row, source
    report.rows += rows
    size = path.stat().st_size
    report.files.append(
        {"name": path.name, "rows": rows, "bytes": size, "sha256": digest.hexdigest()}
    )


def _pairs_of(row: Mapping[str, Any], source: str, report: DataReport) -> list[TrainingPair]:
    try:
        if "messages" in row:
            turns = msgspec.convert(row, _MessagesRow).messages
            return _answers(_group_key(turns), turns, source, report)
        if "turns" in row:
            line = msgspec.convert(row, _TurnsRow)
            return _answers(line.conversation_id, line.turns, source, report)
        if "target_response" in row:
            return _answer_of_pair(msgspec.convert(row, _PairRow), source, report)
    except msgspec.ValidationError as error:
        raise DatasetError(f"{source}: {error}.") from error
    wanted = "a brightrun-lora-v4 pair (target_response), 'messages' or 'turns'"
    raise DatasetError(f"{source}: expected {wanted}; got the keys {sorted(row)[:8]}.")


def _answer_of_pair(row: _PairRow, source: str, report: DataReport) -> list[TrainingPair]:
    if not row.target_response:
        report.without_target += 1
        return []
    if not row.current_user_input:
        report.without_prompt += 1
        return []
    history = [turn.message() for turn in row.conversation_history]
    prompt = {"role": "user", "content": row.current_user_input}
    if history and history[-1] == prompt:  # v4 histories already end with the current user turn
        history.pop()
        report.duplicated_turns_dropped += 1
    if _is_refused(row.target_response, source, report):
        return []
    system = [{"role": "system", "content": row.system_prompt}] if row.system_prompt else []
    answer = {"role": "assistant", "content": row.target_response}
    return [TrainingPair(row.conversation_id, (*system, *history, prompt, answer), source)]


def _answers(
    conversation_id: str, turns: Sequence[_Turn], source: str, report: DataReport
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
    if len(report.cut_off_sources) < LISTED_SOURCES:
        report.cut_off_sources.append(source)
    return True


def _group_key(turns: Sequence[_Turn]) -> str:
    """Lines without an id that open alike count as one conversation, so that none leaks."""
    first = next((i for i, turn in enumerate(turns) if turn.role == "user"), 0)
    opening = [turn.content for turn in turns[: first + 1]]
    return hashlib.sha256("\x00".join(opening).encode()).hexdigest()


def split_by_conversation(
    pairs: Sequence[TrainingPair], fraction: float, seed: int
) -> tuple[list[TrainingPair], list[TrainingPair]]:
    """(train, validation): whole conversations are held out, chosen by seed and id alone.

    At least one is held out when the fraction is above 0 and there are two or more; the last one
    is never taken, so that there is always something to train on.
    """
    names = sorted(
        {pair.conversation_id for pair in pairs},
        key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).digest(),
    )
    wanted = max(1, round(fraction * len(names))) if fraction > 0 else 0
    held_out = set(names[: min(wanted, len(names) - 1)])
    train = [pair for pair in pairs if pair.conversation_id not in held_out]
    return train, [pair for pair in pairs if pair.conversation_id in held_out]
