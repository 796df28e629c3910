"""Fields that change what is learned: read the same, or refused by name, in every format."""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from brightrun.formats.rules import Note, pointer, type_name

SYSTEM_FIELDS = (
    "system",
    "system_prompt",
    "system_message",
    "system_instruction",
    "systemInstruction",
)
"""A system prompt beside the turns."""
ID_FIELDS = ("conversation_id", "id")
"""What names a record's conversation; the first one that is there."""
METADATA = "metadata"
TURN_NAMES = frozenset({"role", "from", "speaker"})
"""What says who speaks: an object with one of them is a turn."""
RECORD_FLAGS = ("weight", "train", "loss_weight", "label")
"""Whether the record's answers train; `label` is that of preference data (KTO)."""
TURN_FLAGS = ("weight", "train", "training", "trainable", "loss", "loss_weight", "train_on_turn")
"""Whether a turn trains."""

_REFUSED: Mapping[str, Collection[str]] = {
    "tool_calls": {
        "tools",
        "functions",
        "tool_calls",
        "tool_call",
        "tool_call_id",
        "function_call",
        "function_calls",
        "available_tools",
    },
    "media": {"image", "images", "image_url", "video", "videos", "audio", "audios"},
    "preference_data": {
        "chosen",
        "rejected",
        "chosen_response",
        "rejected_response",
        "rejected_messages",
        "preferred_output",
        "non_preferred_output",
    },
    "reasoning_field": {
        "reasoning_content",
        "reasoning",
        "reasoning_details",
        "thinking",
        "thought",
        "thoughts",
        "cot",
        "chain_of_thought",
    },
}
_CODE_OF = {name: code for code, names in _REFUSED.items() for name in names}
_THOUGHT_CHANNELS = frozenset({"analysis", "commentary"})
"""What a turn's `channel` calls text that is not the answer (the harmony format of gpt-oss)."""
_MASKS = frozenset(
    {
        "ignore",
        "label_mask",
        "labels",
        "loss_mask",
        "mask",
        "masked",
        "train_detail",
        "train_mask",
        "weights",
    }
)
"""What other tools mark parts of a record with that are, or are not, to be learned."""
_OF_ONE_MEANING = frozenset({*SYSTEM_FIELDS, "weight", "train", "trainable", "loss_weight"})
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])|[\s-]+")
_NOTHING = frozenset({"", "[]", "{}", "null"})


def present(record: Mapping[str, Any], nullable: Collection[str] = ()) -> dict[str, Any]:
    """A record without its null fields, in the objects of its lists too: null is absent.

    Tables fill their columns with nulls (pandas, datasets). Those in `nullable` stay.
    """
    return {
        name: [_present(item) for item in value] if isinstance(value, list) else value
        for name, value in record.items()
        if value is not None or name in nullable
    }


def _present(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    return {name: value for name, value in item.items() if value is not None}


def is_nothing(value: Any) -> bool:
    """True for what says that there is nothing: null, false, an empty list, text or object."""
    if isinstance(value, str):
        return value.strip().casefold() in _NOTHING
    return value is None or value is False or value in ([], {})


def note_fields(
    record: Mapping[str, Any], known: Collection[str], place: str, note: Note
) -> set[str]:
    """Note each field that cannot be read: by name what changes learning, the others as extra.

    Returns the codes of those that are refused.
    """
    refused: set[str] = set()
    for name, value in record.items():
        if name in known:
            continue
        code = _code_of(name, value)
        if code is None:
            if name not in _CODE_OF:
                note("extra_field", place + pointer(name))
        else:
            note(code, place + pointer(name), f"the field '{name}'")
            refused.add(code)
    return refused


def _code_of(name: str, value: Any) -> str | None:
    """Why a field is refused, in whatever way its name is written; None if it need not be."""
    spelled = folded(name)
    if spelled in _CODE_OF:
        return None if is_nothing(value) else _CODE_OF[spelled]
    if spelled in _MASKS:
        return "unread_field" if not is_nothing(value) and _masks(value) else None
    if spelled == "channel":
        return "reasoning_field" if str(value) in _THOUGHT_CHANNELS else None
    return "unread_field" if spelled != name and spelled in _OF_ONE_MEANING else None


def note_preference(record: Mapping[str, Any], note: Note) -> bool:
    """Note the fields with an answer that is better or worse than another; True for any of them."""
    names = [name for name in record if _code_of(name, record[name]) == "preference_data"]
    for name in names:
        note("preference_data", pointer(name), f"the field '{name}'")
    return bool(names)


@lru_cache(4096)
def folded(name: str) -> str:
    """A name in the letters and signs that formats use: systemPrompt is system_prompt."""
    return _WORD.sub("_", name.strip()).casefold()


def _masks(value: Any) -> bool:
    """True for 0 or 1 for the whole, for numbers part by part, and for parts by their places."""
    if not isinstance(value, list):
        return isinstance(value, int | float) and value in (0, 1)
    return bool(value) and all(
        isinstance(part, int | float)
        or (isinstance(part, dict) and {"begin_offset", "end_offset"} <= part.keys())
        for part in value
    )


def may_train(
    holder: Mapping[str, Any], flags: Collection[str], place: str, note: Note, role: str = ""
) -> bool:
    """False when a flag says that a turn, or a whole record, is not to be learned.

    Flags are 0 or 1, in any way of writing the number; all but `weight` may be true or false. A
    `label` of another kind is a class, or a note of somebody, and no flag. Notes
    any other value, and a 1 on a turn of a `role` that never trains.
    """
    trains = True
    for name in flags:
        if name not in holder:
            continue
        value, spot = holder[name], place + pointer(name)
        if name == "label" and value not in (0, 1):
            note("extra_field", spot)
        elif value not in (0, 1) or (name == "weight" and isinstance(value, bool)):
            note("invalid_weight", spot, _shown(value))
        elif name == "label" and not value:
            note("preference_data", spot, "the answer is marked as one not to give")
        elif value and role not in ("", "assistant"):
            note("invalid_weight", spot, f"on a {role} message")
        else:
            trains = trains and bool(value)
    return trains


def _shown(value: Any) -> str:
    return f"it is {value}" if isinstance(value, int | float) else type_name(value)


def name_of(value: Any) -> str:
    """An identifier as text: numbers name things too, and 7.0 is 7."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def conversation_id_of(record: Mapping[str, Any]) -> str:
    """The id of a record's conversation, also where metadata holds it; empty without one."""
    metadata = record.get(METADATA)
    inside = metadata.get(ID_FIELDS[0]) if isinstance(metadata, dict) else None
    named = [name_of(record.get(field)) for field in ID_FIELDS]
    return next((name for name in (*named, name_of(inside)) if name.strip()), "")


def carried(record: Mapping[str, Any], texts: Collection[str]) -> dict[str, Any]:
    """What a record holds besides its texts and its id: its metadata, and all other fields.

    A field of the same name in the metadata goes first; nulls are absent.
    """
    metadata = record.get(METADATA)
    inside = metadata if isinstance(metadata, dict) else {}
    fields = {name: value for name, value in inside.items() if name != ID_FIELDS[0]}
    left_out = {*texts, METADATA} if isinstance(metadata, dict) else set(texts)
    if named := next((field for field in ID_FIELDS if name_of(record.get(field)).strip()), None):
        left_out.add(named)
    for name, value in record.items():
        if value is not None and name not in left_out and not _says_nothing(name, value):
            fields.setdefault(name, value)
    return fields


def _says_nothing(name: str, value: Any) -> bool:
    return name in _CODE_OF and is_nothing(value)
