"""Writes one conversation that follows its scaffolding."""

from __future__ import annotations

import random
from typing import Any

from local.claude_simulator.conversation.emotions import Intensity, emotion_of, phase_of
from local.claude_simulator.conversation.phrasebook import Decks, arc_phrases
from local.claude_simulator.conversation.scaffolding import Scaffolding
from local.claude_simulator.conversation.speech import Speech


def write_conversation(
    scaffolding: Scaffolding, rng: random.Random, *, extra_exchanges: int = 0
) -> dict[str, Any]:
    """A conversation in the raw format: metadata and alternating turns, user first.

    The number of exchanges lies in the scaffolding's range, plus `extra_exchanges`.
    """
    exchanges = rng.randint(scaffolding.min_exchanges, scaffolding.max_exchanges) + extra_exchanges
    speech = Speech(scaffolding, rng)
    emotions = _Emotions(scaffolding, exchanges, rng)
    turns: list[dict[str, Any]] = []
    for exchange in range(exchanges):
        question, answer = speech.exchange(phase_of(exchange, exchanges))
        turns.append(_turn(len(turns) + 1, "user", question, emotions.client(exchange)))
        turns.append(_turn(len(turns) + 1, "assistant", answer, emotions.advisor(exchange)))
    metadata = {
        "client_persona": f"{scaffolding.persona_name} - {scaffolding.archetype}",
        "session_context": speech.context(),
        "conversation_phase": speech.phase_name(),
        "expected_outcome": speech.outcome(),
    }
    return {"conversation_metadata": metadata, "turns": turns}


def _turn(number: int, role: str, content: str, emotions: dict[str, Any]) -> dict[str, Any]:
    return {
        "turn_number": number,
        "role": role,
        "content": content,
        "emotional_context": emotions,
    }


class _Emotions:
    """The emotional context of every turn of one conversation."""

    def __init__(self, scaffolding: Scaffolding, exchanges: int, rng: random.Random) -> None:
        self._arc = arc_phrases(scaffolding.arc_key, scaffolding.language)
        self._start, self._end = scaffolding.start.emotion, scaffolding.end.emotion
        self._exchanges = exchanges
        self._intensity = Intensity(scaffolding.start, scaffolding.end, rng)
        self._decks = Decks(rng)

    def client(self, exchange: int) -> dict[str, Any]:
        """From the arc's starting emotion to its ending one."""
        path = self._arc.client_emotions
        return {
            "primary_emotion": emotion_of(exchange, self._exchanges, self._start, path, self._end),
            "secondary_emotion": self._along(self._arc.secondary_emotions, exchange),
            "intensity": self._intensity.at(self._progress(exchange)),
        }

    def advisor(self, exchange: int) -> dict[str, Any]:
        """Steady company; the last word shares the emotion that the client arrives at."""
        primary = self._along(self._arc.advisor_emotions, exchange)
        others = tuple(name for name in self._arc.advisor_emotions if name != primary)
        last = exchange == self._exchanges - 1
        return {
            "primary_emotion": primary,
            "secondary_emotion": self._end if last else self._decks.draw(others),
            "intensity": self._intensity.at(self._progress(exchange + 0.5)),
        }

    def _progress(self, exchange: float) -> float:
        return min(1.0, exchange / max(1, self._exchanges - 1))

    def _along(self, path: list[str], exchange: int) -> str:
        return path[exchange * (len(path) - 1) // max(1, self._exchanges - 1)]
