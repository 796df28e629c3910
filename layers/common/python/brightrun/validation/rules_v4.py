"""The rules of a brightrun-lora-v4 pair on its line."""

from typing import Any

from brightrun.validation.fields import has_name, has_text, has_type, note_extra, note_missing
from brightrun.validation.notes import Notes
from brightrun.validation.turns import Spoken, note_order

_NEEDED = (
    "id",
    "conversation_id",
    "conversation_history",
    "current_user_input",
    "target_response",
)
_CUSTOMARY = (
    "turn_number",
    "conversation_metadata",
    "system_prompt",
    "emotional_context",
    "training_metadata",
)
_TYPES: dict[str, type] = {
    "turn_number": int,
    "conversation_metadata": dict,
    "system_prompt": str,
    "conversation_history": list,
    "emotional_context": dict,
    "training_metadata": dict,
}
_TURN_FIELDS = ("turn", "role", "content", "emotional_state")


def examine_v4(record: dict[str, Any], note: Notes) -> list[Spoken]:
    """Note every problem of a pair and return its turns, the target last if it trains."""
    incomplete = _note_fields(record, note)
    if incomplete or not isinstance(record["conversation_history"], list):
        return []
    history = [
        _turn(turn, index, note) for index, turn in enumerate(record["conversation_history"])
    ]
    turns = [turn for turn in history if turn is not None]
    if len(turns) < len(history):
        return turns
    user_input, place = record["current_user_input"], "/current_user_input"
    if not has_text(user_input, place, note):
        return turns
    if turns and turns[-1].role == "user" and turns[-1].text == user_input:
        turns.pop()  # the original writes the current user turn into the history as well
    turns.append(Spoken(place, "user", user_input, False))
    note_order(turns, note)
    return turns + _target(record["target_response"], note)


def _note_fields(record: dict[str, Any], note: Notes) -> bool:
    """Note fields that are missing, unknown or mistyped; True if one needed is absent."""
    note_extra(record, (*_NEEDED, *_CUSTOMARY), "", note)
    note_missing(record, _CUSTOMARY, "", note, code="missing_metadata")
    for name in record.keys() & {"id", "conversation_id"}:
        has_name(record[name], f"/{name}", note)
    for name, expected in _TYPES.items():
        if name in record:
            has_type(record[name], expected, f"/{name}", note)
    return note_missing(record, _NEEDED, "", note)


def system_of(record: dict[str, Any]) -> list[Spoken]:
    """The system prompt as a turn, for the checks of its text; none when it is blank."""
    prompt = record.get("system_prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        return []
    return [Spoken("/system_prompt", "system", prompt, False)]


def _target(target: Any, note: Notes) -> list[Spoken]:
    place = "/target_response"
    if target is None or (isinstance(target, str) and not target.strip()):
        note("null_target", place)
        return []
    if not has_type(target, str, place, note):
        return []
    return [Spoken(place, "assistant", target, True)]


def _turn(turn: Any, index: int, note: Notes) -> Spoken | None:
    place = f"/conversation_history/{index}"
    if not has_type(turn, dict, place, note):
        return None
    note_extra(turn, _TURN_FIELDS, place, note)
    if note_missing(turn, ("role", "content"), place, note):
        return None
    role = turn["role"]
    if role == "system":
        note("misplaced_system", place + "/role")
    elif role not in ("user", "assistant"):
        note("unknown_role", place + "/role", f"it is {str(role)[:40]!r}")
    if not has_text(turn["content"], place + "/content", note):
        return None
    if role not in ("user", "assistant"):
        return None
    return Spoken(place + "/content", role, turn["content"], False)
