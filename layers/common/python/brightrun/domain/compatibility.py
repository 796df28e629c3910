"""Whether a persona, an emotional arc and a topic go together: advice with weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from brightrun.domain.scaffolding import EmotionalArc, Persona, TrainingTopic

NEEDED_HUNDREDTHS = 30
"""Confidence that must be exceeded; a total mismatch has exactly this much.

Hundredths are whole numbers: in floats the original's total mismatch came to
0.30000000000000004, and nothing was ever incompatible.
"""

NAMES_IN_A_SUGGESTION = 3


@dataclass(frozen=True, slots=True)
class Compatibility:
    """The advice; `confidence` from 0 to 1."""

    is_compatible: bool
    confidence: float
    warnings: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choices:
    """The active records that suggestions may name."""

    arcs: Sequence[EmotionalArc] = ()
    topics: Sequence[TrainingTopic] = ()


@dataclass(frozen=True, slots=True)
class _Rule:
    is_met: bool
    hundredths: int
    warning: str
    suggestion: str | None


def check_compatibility(
    persona: Persona | None,
    arc: EmotionalArc | None,
    topic: TrainingTopic | None,
    choices: Choices,
) -> Compatibility:
    """Rate a combination; a record that does not exist (None) makes the confidence 0.

    Weights of the original (its part 3.6): 0.20 for each of the arc's lists that leaves the
    persona or the topic out, 0.15 for each of the topic's lists; an empty list fits all.
    """
    if persona is None or arc is None or topic is None:
        records = {"persona": persona, "emotional arc": arc, "training topic": topic}
        missing = tuple(f"The {kind} does not exist." for kind, it in records.items() if it is None)
        hint = "Choose records that exist; the lists show their ids and keys."
        return Compatibility(False, 0.0, missing, (hint,))
    rules = (*_arc_rules(persona, arc, topic, choices), *_topic_rules(persona, arc, topic, choices))
    broken = [rule for rule in rules if not rule.is_met]
    hundredths = 100 - sum(rule.hundredths for rule in broken)
    suggestions = dict.fromkeys(rule.suggestion for rule in broken if rule.suggestion)
    return Compatibility(
        is_compatible=hundredths > NEEDED_HUNDREDTHS,
        confidence=hundredths / 100,
        warnings=tuple(rule.warning for rule in broken),
        suggestions=tuple(suggestions),
    )


def fits(suitable: Sequence[str], key: str) -> bool:
    """Whether a list of suitable keys lets the key through; an empty list fits all."""
    return not suitable or key in suitable


def _arc_rules(
    persona: Persona, arc: EmotionalArc, topic: TrainingTopic, choices: Choices
) -> tuple[_Rule, _Rule]:
    for_persona = [one for one in choices.arcs if fits(one.suitable_personas, persona.key)]
    for_arc = [one for one in choices.topics if fits(arc.suitable_topics, one.key)]
    return (
        _Rule(
            fits(arc.suitable_personas, persona.key),
            20,
            f"The arc {arc.name} is not meant for {persona.name} ({persona.archetype}).",
            _suggestion(f"Arcs for {persona.name}", for_persona),
        ),
        _Rule(
            fits(arc.suitable_topics, topic.key),
            20,
            f"The arc {arc.name} is not meant for the topic {topic.name}.",
            _suggestion(f"Topics for the arc {arc.name}", for_arc),
        ),
    )


def _topic_rules(
    persona: Persona, arc: EmotionalArc, topic: TrainingTopic, choices: Choices
) -> tuple[_Rule, _Rule]:
    for_persona = [one for one in choices.topics if fits(one.suitable_personas, persona.key)]
    for_topic = [one for one in choices.arcs if fits(topic.suitable_emotional_arcs, one.key)]
    return (
        _Rule(
            fits(topic.suitable_personas, persona.key),
            15,
            f"The topic {topic.name} is not meant for {persona.name} ({persona.archetype}).",
            _suggestion(f"Topics for {persona.name}", for_persona),
        ),
        _Rule(
            fits(topic.suitable_emotional_arcs, arc.key),
            15,
            f"The topic {topic.name} is not meant for the arc {arc.name}.",
            _suggestion(f"Arcs for the topic {topic.name}", for_topic),
        ),
    )


def _suggestion(
    heading: str, records: Sequence[EmotionalArc] | Sequence[TrainingTopic]
) -> str | None:
    """Name the first few fitting records; None when there are none."""
    names = [f"{record.name} ({record.key})" for record in records[:NAMES_IN_A_SUGGESTION]]
    return f"{heading}: {', '.join(names)}." if names else None
