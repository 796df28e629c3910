"""Preference data: two answers to one conversation, of which one is better (TRL's names).

DPO and its kin learn from it; the trainer here learns answers themselves (SFT) and refuses such a
file by name.  `prompt`, `chosen` and `rejected` are lists of messages, or plain texts; without a
prompt both answers hold the whole conversation.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from brightrun.formats.chat import MESSAGE_NAMES
from brightrun.formats.fields import ID_FIELDS, METADATA, note_fields
from brightrun.formats.model import Format
from brightrun.formats.rules import Message, Note, Rules, note_missing, note_order

_ANSWERS = ("chosen", "rejected")
_PROMPT = "prompt"


def preference_record(
    prompt: Sequence[Mapping[str, str]],
    chosen: str,
    rejected: str,
    metadata: Mapping[str, Any],
) -> dict[str, Any]:
    """One record as TRL's conversational format has it; `prompt` ends with a user's message."""
    return {
        _PROMPT: [dict(one) for one in prompt],
        "chosen": [{"role": "assistant", "content": chosen}],
        "rejected": [{"role": "assistant", "content": rejected}],
        METADATA: dict(metadata),
    }


def _check(record: dict[str, Any], note: Note) -> list[Message]:
    """Note every problem of a record; returns all its texts, none of which trains."""
    note_fields(record, (_PROMPT, *_ANSWERS, METADATA, *ID_FIELDS), "", note)
    if note_missing(record, _ANSWERS, "", note):
        return []
    prompt = _side(record, _PROMPT, "user", note) if _PROMPT in record else []
    chosen, rejected = (_side(record, name, "assistant", note) for name in _ANSWERS)
    if prompt is None or chosen is None or rejected is None:
        return []
    note_order(prompt + chosen, note)
    note_order(prompt + rejected, _only_of_rejected(note))
    for name, side in zip(_ANSWERS, (chosen, rejected), strict=True):
        if side[-1:] and side[-1].role == "user":
            note("no_trainable_answer", side[-1].place, "it ends with the user")
        elif not side:
            note("empty_turns", f"/{name}")
    if chosen and [one[1:3] for one in chosen] == [one[1:3] for one in rejected]:
        note("no_preference")
    read = [one._replace(trains=False) for one in (*prompt, *chosen)]
    # The other answer is a text to search and to count, and no turn after the better one.
    return read + [one._replace(role=_ANSWERS[1], trains=False) for one in rejected]


def _side(record: Mapping[str, Any], name: str, role: str, note: Note) -> list[Message] | None:
    """The messages of a field; None where one of them is broken."""
    said = record[name]
    turns = said if isinstance(said, list) else [said]
    if isinstance(said, str):
        turns = [{"role": role, "content": said}]
    read = MESSAGE_NAMES.read_turns(turns, f"/{name}", note)
    return None if None in read else [one for one in read if one]


def _only_of_rejected(note: Note) -> Note:
    """Leaves out what the prompt was blamed for with the other answer already."""

    def passing(code: str, place: str = "", detail: Any = "") -> None:
        if place.startswith("/rejected"):
            note(code, place, detail)

    return passing


PREFERENCE = Format(
    name="preference",
    title="preference data",
    keys=dict.fromkeys(_ANSWERS, 1),
    described="'chosen' and 'rejected'",
    api_names=("preference",),
    texts=(_PROMPT, *_ANSWERS),
    rules=Rules(check=_check, warnings=("preference_data",)),
    untrained_because="preference_data",
    one_record_per_conversation=False,
)
