"""The chat formats' rows as turns: `messages`, conversation lines, ShareGPT and Alpaca.

They mean what brightrun.formats makes of them; the training image has only this package, so that
tests/unit/sft/test_chat_rows.py holds the two readings equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

Message = dict[str, str]
Role = Literal["system", "user", "assistant"]
Text = Annotated[str, msgspec.Meta(min_length=1)]
Speaker = Literal["system", "human", "user", "gpt", "assistant", "chatgpt"]

ROLES: Mapping[Speaker, Role] = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
}
"""Who speaks in ShareGPT, as brightrun.formats reads it."""


class Turn(msgspec.Struct):
    """A message; an answer of weight 0 is context only."""

    role: Role
    content: Text
    weight: Literal[0, 1] = 1

    def message(self) -> Message:
        """The turn as a chat template takes it."""
        return {"role": self.role, "content": self.content}


class MessagesRow(msgspec.Struct):
    """A `messages` line."""

    messages: Annotated[list[Turn], msgspec.Meta(min_length=1)]


class TurnsRow(msgspec.Struct):
    """A conversation line."""

    conversation_id: Text
    turns: Annotated[list[Turn], msgspec.Meta(min_length=1)]


class _Spoken(msgspec.Struct):
    speaker: Speaker = msgspec.field(name="from")
    value: Text
    weight: Literal[0, 1] = 1


class ShareGptRow(msgspec.Struct):
    """A ShareGPT line; its `id` may be of any type and is not read, as that of `messages`."""

    conversations: Annotated[list[_Spoken], msgspec.Meta(min_length=1)]
    system: str = ""

    def turns(self) -> list[Turn]:
        """The system prompt, if any, then the turns with their weights."""
        said = [Turn(ROLES[one.speaker], one.value, one.weight) for one in self.conversations]
        return _system(self.system) + said


class AlpacaRow(msgspec.Struct):
    """An Alpaca line: one exchange to learn, the earlier ones as its context."""

    instruction: str
    output: str
    input: str = ""
    system: str = ""
    history: list[tuple[Text, Text]] | None = None

    @property
    def asked(self) -> str:
        """Instruction and input, a newline between them; what is blank is left out."""
        return "\n".join(part for part in (self.instruction, self.input) if part.strip())

    def turns(self) -> list[Turn]:
        """The system prompt, if any, the history, which does not train, and the exchange."""
        earlier = [
            turn
            for user, answer in self.history or ()
            for turn in (Turn("user", user), Turn("assistant", answer, 0))
        ]
        exchange = [Turn("user", self.asked), Turn("assistant", self.output)]
        return _system(self.system) + earlier + exchange


def _system(text: str) -> list[Turn]:
    return [Turn("system", text)] if text.strip() else []
