"""The phrase files, loaded once, and the decks that phrases are drawn from."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

_FOLDER = Path(__file__).with_name("phrases")
_FALLBACK = "general"

Bank = tuple[str, ...]
Banks = dict[str, Bank]
Drawn = TypeVar("Drawn", bound=Hashable)

# Which parts make up a turn, in order; an arc file may state its own under [shape].
_USER_SHAPE: Banks = {
    "opening": ("arc", "situation", "ask"),
    "exploring": ("arc", "situation"),
    "turning": ("arc", "detail"),
    "planning": ("arc", "check"),
    "closing": ("arc", "farewell"),
}
_ADVISOR_SHAPE: Banks = {
    "opening": ("arc", "concept", "question"),
    "exploring": ("arc", "concept", "question"),
    "turning": ("arc", "concept"),
    "planning": ("arc", "step", "question"),
    "closing": ("arc", "encouragement"),
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a client says along an arc and the answer that belongs to it."""

    user: str
    advisor: str


@dataclass(frozen=True, slots=True)
class ArcPhrases:
    """Everything said along one emotional arc: exchanges by phase, and the emotions."""

    exchanges: dict[str, tuple[Exchange, ...]]
    user_shape: Banks
    advisor_shape: Banks
    extra: Banks
    once: Banks
    client_emotions: list[str]
    secondary_emotions: list[str]
    advisor_emotions: list[str]
    phases: Bank
    contexts: Bank
    outcomes: Bank


@cache
def _load(name: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def _banks(table: dict[str, list[str]]) -> Banks:
    return {name: tuple(phrases) for name, phrases in table.items()}


@cache
def known_arcs() -> frozenset[str]:
    """The keys of the arcs that have phrases of their own."""
    return frozenset(path.stem for path in (_FOLDER / "arcs").glob("*.toml")) - {_FALLBACK}


@cache
def arc_phrases(arc_key: str, language: str = "English") -> ArcPhrases:
    """The phrases of an arc; an unknown arc gets phrases that name its emotions.

    A language that has phrases has them for all arcs; the others are answered in English.
    """
    if (_FOLDER / f"languages/{language}.toml").is_file():
        table = _load(f"languages/{language}")
    else:
        table = _load(f"arcs/{arc_key if arc_key in known_arcs() else _FALLBACK}")
    shape = table.get("shape", {})
    return ArcPhrases(
        exchanges={
            phase: tuple(Exchange(**exchange) for exchange in exchanges)
            for phase, exchanges in table["exchanges"].items()
        },
        user_shape=_USER_SHAPE | _banks(shape.get("user", {})),
        advisor_shape=_ADVISOR_SHAPE | _banks(shape.get("advisor", {})),
        extra=_banks(table.get("extra", {})),
        once=_banks(table.get("once", {})),
        client_emotions=table["emotions"]["client"],
        secondary_emotions=table["emotions"]["secondary"],
        advisor_emotions=table["emotions"]["advisor"],
        phases=tuple(table["phases"]),
        contexts=tuple(table["context"]),
        outcomes=tuple(table["outcome"]),
    )


@cache
def persona_phrases(persona_key: str) -> Banks:
    """How a persona speaks; unknown ones share a neutral voice."""
    table = _load("personas")
    return _banks(table.get(persona_key, table[_FALLBACK]))


@cache
def topic_phrases(topic_key: str) -> tuple[str, Bank]:
    """A noun phrase for a topic and the situations clients bring along with it."""
    table = _load("topics")
    entry = table.get(topic_key, table[_FALLBACK])
    return entry["about"], tuple(entry["situations"])


@cache
def advice(kind: str, phase: str) -> Bank:
    """The advisor's questions, steps or parting words for a phase."""
    return tuple(_load("advice")[kind][phase])


@cache
def concept_frames() -> Bank:
    """Ways to speak of a concept that has no explanation of its own."""
    return tuple(_load("concepts")["frames"])


def explanation_of(concept: str) -> str | None:
    """The plain explanation of a key concept, if there is one."""
    explanation: str | None = _load("concepts")["explanations"].get(concept.lower())
    return explanation


class Decks:
    """Shuffled banks: a bank gives each of its entries once before it repeats one."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._left: dict[Any, list[Any]] = {}

    def draw(self, bank: tuple[Drawn, ...]) -> Drawn:
        """The next entry of a bank."""
        left: list[Drawn] = self._left.get(bank, [])
        if not left:
            left = self._left[bank] = list(bank)
            self._rng.shuffle(left)
        return left.pop()
