"""What a dataset format is, and the forms in memory that every format is read into.

A Reading is a record as every tool reads it: its messages, in canonical terms, say who speaks,
what, and what trains.  Conversions make an Example of it.  A Format says how one format is
recognised, read, checked and written; brightrun.formats.format lists them all.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from brightrun.formats.errors import NotAnOutputFormatError
from brightrun.formats.fields import carried, conversation_id_of
from brightrun.formats.rules import ADDITION, Message, Rules

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

    @property
    def unlearned_end(self) -> int:
        """How many turns follow the last trained answer: pairs cannot hold them."""
        trained = [at for at, turn in enumerate(self.turns, 1) if turn.trains]
        return len(self.turns) - trained[-1] if trained else 0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Format:
    """Everything that the product knows of one dataset format.

    `name` is what commands and reports call it, `title` what people call it; `api_names` are what
    the API of datasets accepts for it, the first being what it answers.

    `keys` gives away a record by a key that it has: the lowest rank decides, 0 for a key that only
    this format has, 1 for a word that other formats' records may hold besides their own, 2 for a
    field that is left where everything else is missing.  `described` names the key in messages.

    `rules` reads a record and notes what is wrong with it: every tool goes by them; None for whole
    files, whose pairs are read one by one.  `texts` are the fields that it reads and that need not
    be carried along, `nullable` those in which null means something.

    `write` gives the records of an Example and its position from 1, and is None for a format that
    is only read; `keeps` says which of an Example's fields the records then hold, None for all.
    `joins_pairs` if pairs of one conversation become one record, and `pairs_as_stored` if pairs go
    unchanged, with all their fields, to other formats that say so.
    `untrained_because` is the code that says why nothing of the format trains, else empty.
    `one_record_per_conversation` is false where each record is a single pair with its history.

    A whole file that is one JSON document has `read_document` for the parsed value, and
    `write_document` for lines, file name and ISO-8601 time (None if unknown).
    """

    name: str
    title: str
    keys: Mapping[str, int]
    rules: Rules | None = None
    texts: Collection[str] = ()
    nullable: Collection[str] = ()
    write: Callable[[Example, int], Iterator[dict[str, Any]]] | None = None
    keeps: Callable[[Example], Collection[str]] | None = None
    described: str = ""
    api_names: Sequence[str] = ()
    untrained_because: str = ""
    one_record_per_conversation: bool = True
    joins_pairs: bool = False
    pairs_as_stored: bool = False
    read_document: Callable[[Any], Any] | None = None
    write_document: Callable[[list[Mapping[str, Any]], str, str | None], Any] | None = None

    @property
    def is_whole_file(self) -> bool:
        """True when a file is one JSON document, not one record per line."""
        return self.read_document is not None

    def records(self, example: Example, position: int) -> Iterator[dict[str, Any]]:
        """Write an example; raises NotAnOutputFormatError for a format that is only read."""
        if self.write is None:
            raise NotAnOutputFormatError(f"{self.title} can be read but not written.")
        return self.write(example, position)

    def lost(self, example: Example) -> Collection[str]:
        """The names of an example's fields that its records in this format do not hold."""
        return set(example.fields).difference(self.keeps(example)) if self.keeps else ()

    def __str__(self) -> str:
        """The name, as commands and reports write it."""
        return self.name


class Reading(NamedTuple):
    """A record that can be used: its texts in order, the system prompt first."""

    format: Format
    record: Record
    messages: Sequence[Message]

    @property
    def conversation_id(self) -> str:
        """The id of the conversation, empty without one."""
        return conversation_id_of(self.record)

    @property
    def turns(self) -> list[Message]:
        """The messages, what adds to a turn in one with it."""
        turns: list[Message] = []
        for one in self.messages:
            if one.role == ADDITION:
                turns[-1] = turns[-1]._replace(text=f"{turns[-1].text}\n{one.text}")
            else:
                turns.append(one)
        return turns

    def example(self) -> Example:
        """The record as conversions take it."""
        said = self.turns
        system = said.pop(0).text if said and said[0].role == "system" else ""
        turns = tuple(Turn(one.role, one.text, one.trains) for one in said)  # type: ignore[arg-type]
        fields = carried(self.record, self.format.texts)
        return Example(turns, system, self.conversation_id, fields)
