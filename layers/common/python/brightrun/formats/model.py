"""What a dataset format is, and the forms in memory that every format is read into.

An Example is a conversation of user and assistant turns in which some answers train and the rest
are context: conversions go through it.  A Row is a record as the trainer reads it.  A Format says
how one format is recognised, read, written and checked; brightrun.formats.format lists them all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from brightrun.formats.errors import NotAnOutputFormatError

if TYPE_CHECKING:
    from brightrun.formats.rules import Rules

Record = Mapping[str, Any]
Speaker = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn; `trains` is true for an answer that the model is to learn."""

    role: Speaker
    content: str
    trains: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """One training example; `fields` is what its format carried besides the text."""

    turns: tuple[Turn, ...]
    system: str = ""
    conversation_id: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def trainable(self) -> int:
        """How many answers train."""
        return sum(turn.trains for turn in self.turns)

    @property
    def trained_text(self) -> tuple[str, ...]:
        """The answers that train, in order; what no conversion may change."""
        return tuple(turn.content for turn in self.turns if turn.trains)

    def up_to_last_answer(self) -> "Example":
        """The example without what follows its last trained answer: nothing learns from that."""
        turns = self.turns
        while turns and not turns[-1].trains:
            turns = turns[:-1]
        return replace(self, turns=turns)


def fault_in(example: Example) -> str | None:
    """Say why an example cannot be trained on, or None when it is sound.

    Sound: opens with a user turn, alternates, no turn is blank, at least one answer trains.
    """
    if not example.trainable:
        return "no answer to train on"
    for position, turn in enumerate(example.turns):
        expected = "assistant" if position % 2 else "user"
        if turn.role != expected:
            return f"turn {position + 1} is {turn.role} where {expected} is due"
        if not turn.content.strip():
            return f"turn {position + 1} is empty"
    return None


class RowTurn(msgspec.Struct):
    """A system, user or assistant turn of a record; an answer of weight 0 does not train."""

    role: Literal["system", "user", "assistant"]
    content: str
    weight: Literal[0, 1] = 1


class Row(msgspec.Struct):
    """A record as the trainer reads it.

    Answers among the first `context` turns never train, whatever their weight, and are not counted
    as left out.  `conversation_id` is empty unless the format names every conversation, and
    `untrained` says why the whole record trains nothing, whose turns are then not read.
    """

    turns: list[RowTurn]
    conversation_id: str = ""
    context: int = 0
    repeats_user_turn: bool = False
    untrained: Literal["", "without_target", "without_prompt"] = ""


def row_of_example(example: Example) -> Row:
    """The row of a format that has no reading for the trainer of its own."""
    turns = [RowTurn(turn.role, turn.content, 1 if turn.trains else 0) for turn in example.turns]
    return Row(system_turn(example.system) + turns, example.conversation_id)


def system_turn(text: str) -> list[RowTurn]:
    """A system prompt as a turn; none when it is blank."""
    return [RowTurn("system", text)] if text.strip() else []


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Format:
    """Everything that the product knows of one dataset format.

    `name` is what commands and reports call it, `title` what people call it; `api_names` are what
    the API of datasets accepts for it, the first being what it answers.

    `keys` gives away a record by a key that it has: the lowest rank decides, 0 for a key that only
    this format has, 1 for a word that other formats' records may hold besides their own, 2 for a
    field that is left where everything else is missing.  `described` names the key in messages.

    `read` makes an Example of a record and raises RecordError; `write` gives the records of an
    Example and its position from 1, and is None for a format that is only read.  `read_row` makes
    the trainer's Row and raises RecordError; without it the Example is used.  `rules` is what the
    validator checks, and None for whole files, which it asks to convert first.

    What a conversion keeps: `joins_pairs` if pairs of one conversation become one record, and
    `pairs_as_stored` if pairs go unchanged, with all their fields, to other formats that say so.
    `one_record_per_conversation` is false where each record is a single pair with its history.

    A whole file that is one JSON document has `read_document` for the parsed value, and
    `write_document` for lines, file name and ISO-8601 time (None if unknown).
    """

    name: str
    title: str
    keys: Mapping[str, int]
    read: Callable[[Record], Example]
    write: Callable[[Example, int], Iterator[dict[str, Any]]] | None = None
    read_row: Callable[[Record], Row] | None = None
    rules: "Rules | None" = None
    described: str = ""
    api_names: Sequence[str] = ()
    one_record_per_conversation: bool = True
    joins_pairs: bool = False
    pairs_as_stored: bool = False
    read_document: Callable[[Any], Any] | None = None
    write_document: Callable[[list[Mapping[str, Any]], str, str | None], Any] | None = None

    @property
    def is_whole_file(self) -> bool:
        """True when a file is one JSON document, not one record per line."""
        return self.read_document is not None

    def row(self, record: Record) -> Row:
        """The record as the trainer reads it; raises RecordError."""
        return self.read_row(record) if self.read_row else row_of_example(self.read(record))

    def records(self, example: Example, position: int) -> Iterator[dict[str, Any]]:
        """Write an example; raises NotAnOutputFormatError for a format that is only read."""
        if self.write is None:
            raise NotAnOutputFormatError(f"{self.title} can be read but not written.")
        return self.write(example, position)

    def __str__(self) -> str:
        """The name, as commands and reports write it."""
        return self.name
