"""What the client and the advisor say, composed from phrases along the arc."""

from __future__ import annotations

import random
import re

from local.claude_simulator.conversation.phrasebook import (
    Decks,
    advice,
    arc_phrases,
    concept_frames,
    explanation_of,
    persona_phrases,
    topic_phrases,
)
from local.claude_simulator.conversation.scaffolding import Scaffolding

_PERSONA_PARTS = frozenset({"ask", "check", "detail", "farewell"})
_PROPER_NOUNS = frozenset({"Roth", "Medicaid", "Medicare", "Social", "Security"})
_SENTENCE_START = re.compile(r"(?:^|(?<=[.!?] ))[a-z]")
_SITUATION_FIRST = 0.4
_MAX_USER_WORDS = 90
_MIN_ADVISOR_WORDS = 60
_MAX_ADVISOR_WORDS = 180


class Speech:
    """The words of one conversation; every exchange turns on one key concept of the topic."""

    def __init__(self, scaffolding: Scaffolding, rng: random.Random) -> None:
        self._rng = rng
        self._decks = Decks(rng)
        self._arc = arc_phrases(scaffolding.arc_key, scaffolding.language)
        self._persona = persona_phrases(scaffolding.persona_key)
        about, self._situations = topic_phrases(scaffolding.topic_key)
        self._concepts = tuple(dict.fromkeys(scaffolding.key_concepts))
        self._planned = False
        self._explained: set[str] = set()
        self._said: set[str] = set()
        self._slots = {
            "name": scaffolding.persona_name.split()[0],
            "topic": _running_text(scaffolding.topic_name),
            "start": scaffolding.start.emotion,
            "end": scaffolding.end.emotion,
            "focus": rng.choice(self._concepts),
        }
        self._slots["about"] = about.format(**self._slots)
        for name, bank in self._arc.once.items():
            self._slots[name] = self._decks.draw(bank).format(**self._slots)
        self._next_concept()

    def exchange(self, phase: str) -> tuple[str, str]:
        """What the client says in this phase and what the advisor answers."""
        if phase != "closing" or not self._planned:  # the end returns to what was planned
            self._next_concept()
        self._planned = phase == "planning"
        pair = self._decks.draw(self._arc.exchanges[phase])
        asked = self._turn(pair.user, self._user_shape(phase), phase)
        answered = self._turn(pair.advisor, self._arc.advisor_shape[phase], phase)
        while _words(answered) < _MIN_ADVISOR_WORDS:
            answered.append(self._decks.draw(advice("pause", "any")))
        first, *rest = _within(answered, _MAX_ADVISOR_WORDS)
        answer = "\n\n".join([first, " ".join(rest)]) if rest else first
        return self._unsaid(" ".join(_within(asked, _MAX_USER_WORDS))), self._unsaid(answer)

    def context(self) -> str:
        """One sentence on when and why the client comes."""
        return self._filled(self._decks.draw(self._arc.contexts))

    def phase_name(self) -> str:
        """The conversation phase of the metadata."""
        return self._decks.draw(self._arc.phases)

    def outcome(self) -> str:
        """One sentence on where the conversation leads."""
        return self._filled(self._decks.draw(self._arc.outcomes))

    def _user_shape(self, phase: str) -> tuple[str, ...]:
        """The parts of a client's turn; some clients open with their situation."""
        shape = self._arc.user_shape[phase]
        if phase == "opening" and "situation" in shape and self._rng.random() < _SITUATION_FIRST:
            return ("situation", *(part for part in shape if part != "situation"))
        return shape

    def _next_concept(self) -> None:
        concept = self._decks.draw(self._concepts)
        taken = {concept, self._slots["focus"]} if self._arc.once else {concept}
        others = [name for name in self._concepts if name not in taken]
        self._slots["concept"] = concept
        self._slots["other"] = self._rng.choice(others) if others else "the rest"

    def _turn(self, arc_phrase: str, shape: tuple[str, ...], phase: str) -> list[str]:
        return [
            self._filled(arc_phrase if part == "arc" else self._phrase(part, phase))
            for part in shape
        ]

    def _phrase(self, part: str, phase: str) -> str:
        if part in self._arc.extra:
            return self._decks.draw(self._arc.extra[part])
        if part == "situation":
            return self._decks.draw(self._situations)
        if part == "concept":
            return self._explanation()
        if part in _PERSONA_PARTS:
            return self._decks.draw(self._persona[part])
        return self._decks.draw(advice(part, phase))

    def _explanation(self) -> str:
        concept = self._slots["concept"]
        explanation = explanation_of(concept) if concept not in self._explained else None
        self._explained.add(concept)
        return explanation or self._decks.draw(concept_frames())

    def _filled(self, phrase: str) -> str:
        text = phrase.format(**self._slots)
        return _SENTENCE_START.sub(lambda match: match[0].upper(), text)

    def _unsaid(self, text: str) -> str:
        """The text, extended where a very long conversation has used up its phrases."""
        while text in self._said:
            self._next_concept()
            text = f"{text} {self._filled('And then there is {concept}, beside {other}.')}"
        self._said.add(text)
        return text


def _within(parts: list[str], limit: int) -> list[str]:
    """The parts from the first on, leaving out those that would exceed `limit` words."""
    kept = [parts[0]]
    for part in parts[1:]:
        if _words([*kept, part]) <= limit:
            kept.append(part)
    return kept


def _words(parts: list[str]) -> int:
    return sum(len(part.split()) for part in parts)


def _running_text(title: str) -> str:
    """A title as it reads inside a sentence: lower case, but for acronyms and proper nouns."""
    return " ".join(
        word if word in _PROPER_NOUNS or not word.istitle() else word.lower()
        for word in title.split()
    )
