"""The one in-memory form that every training format is read into and written from.

An example is a conversation of user and assistant turns in which some answers train and the rest
are context.  A brightrun-lora-v4 pair is an example whose last answer alone trains; a `messages`
line is usually one in which every answer does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal

Speaker = Literal["user", "assistant"]


class Form(StrEnum):
    """The formats, by the names that the command line uses."""

    V4_JSON = "v4-json"
    V4_JSONL = "v4-jsonl"
    ENRICHED = "enriched"
    MESSAGES = "messages"
    CONVERSATIONS = "conversations"
    SHAREGPT = "sharegpt"
    ALPACA = "alpaca"

    @property
    def full_name(self) -> str:
        """The name that a person knows the format by."""
        return _FULL_NAMES[self]

    @property
    def is_v4(self) -> bool:
        """True for the three forms that store brightrun-lora-v4 pairs."""
        return self in {Form.V4_JSON, Form.V4_JSONL, Form.ENRICHED}


_FULL_NAMES = {
    Form.V4_JSON: "brightrun-lora-v4 JSON",
    Form.V4_JSONL: "brightrun-lora-v4 JSONL",
    Form.ENRICHED: "enriched conversation JSON",
    Form.MESSAGES: "messages JSONL",
    Form.CONVERSATIONS: "conversation lines",
    Form.SHAREGPT: "ShareGPT",
    Form.ALPACA: "Alpaca",
}


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
