"""Alpaca: one exchange to learn per record, the earlier ones in `history` as its context."""

from collections.abc import Iterator
from typing import Any

import msgspec

from brightrun.formats.errors import RecordError
from brightrun.formats.model import Example, Format, Record, Row, RowTurn, Turn, system_turn
from brightrun.formats.rules import (
    Message,
    Note,
    RowShape,
    Rules,
    has_type,
    note_extra,
    note_missing,
)


class AlpacaRecord(msgspec.Struct):
    """An Alpaca record: one exchange, with the earlier ones in `history`."""

    instruction: str
    output: str
    input: str = ""
    system: str = ""
    history: list[tuple[str, str]] | None = None

    @property
    def asked(self) -> str:
        """Instruction and input, a newline between them; what is blank is left out."""
        return "\n".join(part for part in (self.instruction, self.input) if part.strip())


def _decoded(record: Record) -> AlpacaRecord:
    try:
        return msgspec.convert(record, AlpacaRecord)
    except msgspec.ValidationError as error:
        raise RecordError(str(error)) from error


def _read(record: Record) -> Example:
    """Read a record; instruction and input are joined by a newline, the output trains."""
    found = _decoded(record)
    earlier = [
        turn
        for user, answer in found.history or ()
        for turn in (Turn("user", user), Turn("assistant", answer))
    ]
    answer = Turn("assistant", found.output, trains=bool(found.output.strip()))
    return Example((*earlier, Turn("user", found.asked), answer), found.system)


def _read_row(record: Record) -> Row:
    """Read a record for the trainer: the history does not train, the output does."""
    found = _decoded(record)
    for at, exchange in enumerate(found.history or ()):
        if "" in exchange:
            place = f"$.history[{at}][{exchange.index('')}]"
            raise RecordError(f"Expected `str` of length >= 1 - at `{place}`")
    if not found.output.strip():
        return Row([], untrained="without_target")
    if not found.asked:
        return Row([], untrained="without_prompt")
    earlier = [
        turn
        for user, answer in found.history or ()
        for turn in (RowTurn("user", user), RowTurn("assistant", answer, 0))
    ]
    own = [RowTurn("user", found.asked), RowTurn("assistant", found.output)]
    return Row(system_turn(found.system) + earlier + own)


def _write(example: Example, _position: int) -> Iterator[dict[str, Any]]:
    """Write one record per trained answer, what came before it as `history`."""
    for at, answer in enumerate(example.turns):
        if not answer.trains:
            continue
        earlier = [turn.content for turn in example.turns[: at - 1]]
        history = [[user, reply] for user, reply in zip(earlier[::2], earlier[1::2], strict=True)]
        yield {
            "instruction": example.turns[at - 1].content,
            "input": "",
            "output": answer.content,
            **({"system": example.system} if example.system.strip() else {}),
            **({"history": history} if history else {}),
        }


SHAPE = RowShape(
    fields={"system": "string", "instruction": "text", "input": "string", "output": "text"},
    optional=("input", "system"),
)


def _check(record: dict[str, Any], note: Note) -> list[Message]:
    """Note every problem of a record and return its texts in order, the output last."""
    note_extra(record, (*SHAPE.fields, "history"), "", note)
    incomplete = note_missing(record, ("instruction", "output"), "", note)
    strings = {
        name: record[name]
        for name in SHAPE.fields
        if name in record and has_type(record[name], str, f"/{name}", note)
    }
    history = _checked_history(record.get("history"), note)
    if incomplete or "instruction" not in strings or "output" not in strings:
        return []
    if not strings["instruction"].strip() and not strings.get("input", "").strip():
        note("empty_turn", "/instruction")
    if not strings["output"].strip():
        note("no_trainable_answer", "/output")
    asked = "user" if not strings["instruction"].strip() else "input"  # one turn, not two
    roles = {"system": "system", "instruction": "user", "input": asked, "output": "assistant"}
    own = [
        Message(f"/{name}", roles[name], text, name == "output")
        for name, text in strings.items()
        if text.strip()
    ]
    return own[:-1] + history + own[-1:]


def _checked_history(history: Any, note: Note) -> list[Message]:
    """Read the earlier exchanges: a list of [user, answer]."""
    if history is None or not has_type(history, list, "/history", note):
        return []
    turns: list[Message] = []
    for index, exchange in enumerate(history):
        place = f"/history/{index}"
        if not has_type(exchange, list, place, note):
            continue
        if len(exchange) != 2:
            note("wrong_type", place, f"{len(exchange)} texts instead of 2")
            continue
        for at, (role, text) in enumerate(zip(("user", "assistant"), exchange, strict=True)):
            spot = f"{place}/{at}"
            if not has_type(text, str, spot, note):
                continue
            if not text.strip():
                note("empty_turn", spot)
            turns.append(Message(spot, role, text, False))
    return turns


ALPACA = Format(
    name="alpaca",
    title="Alpaca",
    keys={"instruction": 1},
    described="'instruction' (Alpaca)",
    api_names=("alpaca",),
    read=_read,
    write=_write,
    read_row=_read_row,
    rules=Rules(check=_check, shape=SHAPE),
    one_record_per_conversation=False,
)
