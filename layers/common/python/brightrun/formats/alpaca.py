"""Alpaca and its kin: one exchange to learn per record, the earlier ones as its context.

Alpaca has instruction, input and output; Dolly calls them instruction, context and response.  Other
files call the two sides prompt and completion, question and answer, or query and response; there
each side may also be a list of messages.  All are read alike, and Alpaca alone is written.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from brightrun.formats.chat import MESSAGE_NAMES, system_beside
from brightrun.formats.fields import (
    ID_FIELDS,
    METADATA,
    RECORD_FLAGS,
    SYSTEM_FIELDS,
    may_train,
    note_fields,
)
from brightrun.formats.model import Example, Format
from brightrun.formats.rules import (
    ADDITION,
    Message,
    Note,
    RowShape,
    Rules,
    has_type,
    note_answers,
    note_missing,
    note_order,
)
from brightrun.formats.text import is_blank


@dataclass(frozen=True)
class ExchangeNames:
    """What one format calls the question, what it adds to it, and the answer: the usual one first.

    Question and addition are one turn; what is blank is left out.
    """

    question: Sequence[str]
    addition: Sequence[str]
    answer: Sequence[str]

    @property
    def texts(self) -> frozenset[str]:
        """The fields that hold what is said."""
        return frozenset({*self.question, *self.addition, *self.answer, *SYSTEM_FIELDS, "history"})

    def check(self, record: dict[str, Any], note: Note) -> list[Message]:
        """Note every problem of a record and return its texts in order, the answer last."""
        question, answer = _named(self.question, record), _named(self.answer, record)
        addition = _named(self.addition, record) if self.addition else question
        known = {question, addition, answer, "history", METADATA}
        known |= {*ID_FIELDS, *SYSTEM_FIELDS, *RECORD_FLAGS}
        note_fields(record, known, "", note)
        trains = may_train(record, RECORD_FLAGS, "", note)
        if isinstance(record.get(question), list) or isinstance(record.get(answer), list | dict):
            return _check_chat(record, question, answer, note, trains)
        incomplete = note_missing(record, (question, answer), "", note)
        strings = {
            name: record[name]
            for name in dict.fromkeys((question, addition, answer))
            if name in record and has_type(record[name], str, f"/{name}", note)
        }
        context = system_beside(record, note) + _history(record.get("history"), note)
        if incomplete or question not in strings or answer not in strings:
            return []
        asked = [name for name in strings if name != answer and not is_blank(strings[name])]
        if not asked:
            note("empty_turn", f"/{question}")
        if is_blank(strings[answer]):
            note("no_trainable_answer", f"/{answer}")
            return context
        if not trains:
            note("no_trainable_answer", f"/{answer}")
        roles = ["user", ADDITION]
        return [
            *context,
            *(Message(f"/{name}", roles.pop(0), strings[name], False) for name in asked),
            Message(f"/{answer}", "assistant", strings[answer], trains),
        ]


def _named(names: Sequence[str], record: Mapping[str, Any]) -> str:
    return next((name for name in names if name in record), names[0])


def _check_chat(
    record: dict[str, Any], question: str, answer: str, note: Note, trains: bool
) -> list[Message]:
    """Read an exchange of messages: those before the answer are its context, and never train."""
    if note_missing(record, (question, answer), "", note):
        return []
    sides: list[list[Message | None]] = []
    for name, role in ((question, "user"), (answer, "assistant")):
        said = record[name]
        turns = said if isinstance(said, list) else [said]
        if isinstance(said, str):
            turns = [{"role": role, "content": said}]
        sides.append(
            MESSAGE_NAMES.read_turns(turns, f"/{name}", note, trains=trains and role == "assistant")
        )
    if None in sides[0] or None in sides[1]:
        return []
    found = system_beside(record, note) + [one for side in sides for one in side if one]
    note_order(found, note)
    note_answers(found, f"/{answer}", note)
    return found


def _history(history: Any, note: Note) -> list[Message]:
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
            if is_blank(text):
                note("empty_turn", spot)
            turns.append(Message(spot, role, text, False))
    return turns


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
            **({"system": example.system} if example.system else {}),
            **({"history": history} if history else {}),
        }


ALPACA_NAMES = ExchangeNames(
    question=("instruction",), addition=("input", "context"), answer=("output", "response")
)
ALPACA = Format(
    name="alpaca",
    title="Alpaca",
    keys={"instruction": 1},
    described="'instruction' (Alpaca)",
    api_names=("alpaca",),
    write=_write,
    keeps=lambda _example: (),
    texts=ALPACA_NAMES.texts,
    rules=Rules(
        check=ALPACA_NAMES.check,
        shape=RowShape(
            fields={
                "system": "string",
                "instruction": "text",
                "input": "string",
                "output": "text",
            },
            optional=("input", "system"),
        ),
    ),
    one_record_per_conversation=False,
)
EXCHANGE_NAMES = ExchangeNames(
    question=("prompt", "question", "query", "input"),
    addition=("context",),
    answer=("completion", "answer", "response", "output"),
)
PROMPT_COMPLETION = Format(
    name="prompt-completion",
    title="prompt and completion",
    keys={
        **dict.fromkeys(("completion", "prompt", "question", "query", "answer"), 1),
        **dict.fromkeys(("response", "input", "output"), 2),
        "preferred_output": 2,
    },
    described="'prompt' and 'completion' (or question and answer)",
    api_names=("prompt_completion",),
    texts=EXCHANGE_NAMES.texts,
    rules=Rules(
        check=EXCHANGE_NAMES.check,
        shape=RowShape(fields={"prompt": "text", "completion": "text"}),
    ),
    one_record_per_conversation=False,
)
