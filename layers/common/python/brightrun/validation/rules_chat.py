"""The rules of `messages`, conversation lines and ShareGPT, which differ in names only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from brightrun.formats.chat_forms import SHAREGPT_SPEAKERS
from brightrun.formats.model import Form
from brightrun.validation.fields import has_name, has_text, has_type, note_extra, note_missing
from brightrun.validation.notes import Notes
from brightrun.validation.turns import Spoken, note_answers, note_order

_ROLES = {"system": "system", "user": "user", "assistant": "assistant"}
_TOOL_ROLES = frozenset({"tool", "function", "function_call", "observation"})


@dataclass(frozen=True, slots=True)
class ChatRules:
    """The names that one chat format uses."""

    turns: str
    role: str
    text: str
    roles: Mapping[str, str]
    required: tuple[str, ...]
    known: frozenset[str]

    def examine(self, record: dict[str, Any], note: Notes) -> list[Spoken]:
        """Note every problem of a record and return the turns that could be read."""
        note_extra(record, self.known, "", note)
        if "conversation_id" in self.required and "conversation_id" in record:
            has_name(record["conversation_id"], "/conversation_id", note)
        if note_missing(record, self.required, "", note):
            return []
        place = f"/{self.turns}"
        if not has_type(record[self.turns], list, place, note):
            return []
        if not record[self.turns]:
            note("empty_turns", place)
            return []
        read = [
            self._turn(turn, f"{place}/{index}", note)
            for index, turn in enumerate(record[self.turns])
        ]
        opening = self._opening(record, note)
        turns = opening + [turn for turn in read if turn is not None]
        if None not in read:  # with a broken turn nobody knows who should speak next
            note_order(turns, note)
            note_answers(turns, place, note)
        return turns

    def _opening(self, record: dict[str, Any], note: Notes) -> list[Spoken]:
        """Read the system prompt that ShareGPT may have beside its turns."""
        if "system" not in self.known or "system" not in record:
            return []
        prompt = record["system"]
        if not has_type(prompt, str, "/system", note) or not prompt.strip():
            return []
        return [Spoken("/system", "system", prompt, False)]

    def _turn(self, turn: Any, place: str, note: Notes) -> Spoken | None:
        if not has_type(turn, dict, place, note):
            return None
        note_extra(turn, (self.role, self.text, "weight"), place, note)
        if note_missing(turn, (self.role, self.text), place, note):
            return None
        role = self._role(turn[self.role], f"{place}/{self.role}", note)
        text_place = f"{place}/{self.text}"
        has_words = has_text(turn[self.text], text_place, note)
        weight = turn.get("weight", 1)
        if weight not in (0, 1) or isinstance(weight, bool | float):
            note("invalid_weight", place + "/weight")
        elif "weight" in turn and role not in (None, "assistant"):
            note("invalid_weight", place + "/weight", f"on a {role} message")
        if role is None or not has_words:
            return None
        trains = role == "assistant" and weight != 0
        return Spoken(text_place, role, turn[self.text], trains)

    def _role(self, name: Any, place: str, note: Notes) -> str | None:
        if not has_type(name, str, place, note):
            return None
        role = self.roles.get(name)
        if role is None:
            code = "tool_calls" if name in _TOOL_ROLES else "unknown_role"
            note(code, place, f"it is {name[:40]!r}")
        return role


CHAT_RULES = {
    Form.MESSAGES: ChatRules(
        turns="messages",
        role="role",
        text="content",
        roles=_ROLES,
        required=("messages",),
        known=frozenset({"messages", "metadata"}),
    ),
    Form.CONVERSATIONS: ChatRules(
        turns="turns",
        role="role",
        text="content",
        roles=_ROLES,
        required=("conversation_id", "turns"),
        known=frozenset({"conversation_id", "turns", "metadata"}),
    ),
    Form.SHAREGPT: ChatRules(
        turns="conversations",
        role="from",
        text="value",
        roles=SHAREGPT_SPEAKERS,
        required=("conversations",),
        known=frozenset({"id", "conversations", "system"}),
    ),
}
