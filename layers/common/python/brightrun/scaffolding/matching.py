"""Rates combinations of persona, arc and topic, and selects prompt templates for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from brightrun.core.errors import NoTemplateForArcError
from brightrun.scaffolding.model import EmotionalArc, Persona, PromptTemplate, TrainingTopic

NEEDED_HUNDREDTHS = 30
"""A compatible combination has more confidence than this; a total mismatch has exactly this.

Integer hundredths, because v1's floats made a total mismatch 0.30000000000000004, so that no
combination was ever incompatible.
"""
NAMES_IN_A_SUGGESTION = 3


@dataclass(frozen=True, slots=True)
class Compatibility:
    """How well a combination fits; `confidence` from 0 to 1; `template` once one was selected."""

    is_compatible: bool
    confidence: float
    warnings: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    template: PromptTemplate | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """The active records that suggestions are made from."""

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

    v1's weights: 0.20 for each of the arc's lists that omits the persona or the topic, 0.15 for
    each of the topic's lists; an empty list fits all.
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
    """Whether the key is in a list of suitable keys; an empty list fits all."""
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
    """List the first few fitting records; None if there are none."""
    names = [f"{record.name} ({record.key})" for record in records[:NAMES_IN_A_SUGGESTION]]
    return f"{heading}: {', '.join(names)}." if names else None


GOOD_RATING = 4.5
"""Stars from which a template's rating raises its score."""


@dataclass(frozen=True, slots=True)
class TemplateCriteria:
    """What a template should fit; None matches all."""

    arc_key: str
    tier: str | None = None
    persona_key: str | None = None
    topic_key: str | None = None


@dataclass(frozen=True, slots=True)
class RankedTemplate:
    """A template, and how well it fits, from 0 to 1."""

    template: PromptTemplate
    score: float


def select_template(
    templates: Iterable[PromptTemplate], criteria: TemplateCriteria
) -> PromptTemplate:
    """Select among the active templates of the arc: those of the tier, or else of any tier.

    Order: fit for persona and topic (halved by each list that omits one), then quality_threshold,
    then rating, highest first and unknown last; then name, then id.
    Raises NoTemplateForArcError.
    """
    for_arc = _active_for_arc(templates, criteria.arc_key)
    if not for_arc:
        raise NoTemplateForArcError(
            f"No active template serves the emotional arc '{criteria.arc_key}'. Create one whose "
            f"emotional_arc_type is '{criteria.arc_key}', or activate one again.",
            details={"emotional_arc_type": criteria.arc_key},
        )
    for_tier = [template for template in for_arc if template.tier == criteria.tier]
    return min(
        for_tier or for_arc,
        key=lambda template: (-_fit(template, criteria), *_tie_break(template)),
    )


def rank_templates(
    templates: Iterable[PromptTemplate], criteria: TemplateCriteria
) -> list[RankedTemplate]:
    """Score all active templates of the arc, best first; ties in the order of `select_template`.

    v1's weights, in hundredths: 50, +20 for the tier, persona listed +15, no list +10, omitted -5,
    topic listed +10, no list +5, rating of 4.5 or more +5.
    """
    for_arc = _active_for_arc(templates, criteria.arc_key)
    scored = [(_hundredths(template, criteria), template) for template in for_arc]
    scored.sort(key=lambda pair: (-pair[0], *_tie_break(pair[1])))
    return [RankedTemplate(template, hundredths / 100) for hundredths, template in scored]


def _active_for_arc(templates: Iterable[PromptTemplate], arc_key: str) -> list[PromptTemplate]:
    return [one for one in templates if one.is_active and one.emotional_arc_type == arc_key]


def _tie_break(template: PromptTemplate) -> tuple[float, float, str, str]:
    """Sort key of templates that fit equally well; unknown figures sort after 0."""
    quality = -1.0 if template.quality_threshold is None else template.quality_threshold
    rating = -1.0 if template.rating is None else template.rating
    return -quality, -rating, template.template_name, template.id


def _fit(template: PromptTemplate, criteria: TemplateCriteria) -> float:
    lists = (
        (template.suitable_personas, criteria.persona_key),
        (template.suitable_topics, criteria.topic_key),
    )
    left_out = sum(key is not None and not fits(listed, key) for listed, key in lists)
    return 0.5**left_out


def _hundredths(template: PromptTemplate, criteria: TemplateCriteria) -> int:
    return (
        50
        + (20 if template.tier == criteria.tier else 0)
        + _listed(
            template.suitable_personas, criteria.persona_key, listed=15, no_list=10, left_out=-5
        )
        + _listed(template.suitable_topics, criteria.topic_key, listed=10, no_list=5, left_out=0)
        + (5 if template.rating is not None and template.rating >= GOOD_RATING else 0)
    )


def _listed(
    suitable: Sequence[str], key: str | None, *, listed: int, no_list: int, left_out: int
) -> int:
    """The weight of one list; 0 if the caller gave no key."""
    if key is None:
        return 0
    if not suitable:
        return no_list
    return listed if key in suitable else left_out
