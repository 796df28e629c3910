"""Which prompt template serves a conversation, in a defined order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from brightrun.domain.compatibility import fits
from brightrun.domain.scaffolding import PromptTemplate
from brightrun.errors import NoTemplateForArcError

GOOD_RATING = 4.5
"""Stars from which a template's rating counts for it in the ranked list."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a template is looked for; None where the caller does not say."""

    arc_key: str
    tier: str | None = None
    persona_key: str | None = None
    topic_key: str | None = None


@dataclass(frozen=True, slots=True)
class RankedTemplate:
    """A template and how well it fits, 0 to 1."""

    template: PromptTemplate
    score: float


def select_template(templates: Iterable[PromptTemplate], wanted: Wanted) -> PromptTemplate:
    """Choose among the active templates of the arc: those of the tier, else of any tier.

    Order: fit for persona and topic (halved by each list that leaves one out), then
    quality_threshold, then rating, highest first and unknown last; then name, then id.
    Raises NoTemplateForArcError.
    """
    for_arc = _active_for_arc(templates, wanted.arc_key)
    if not for_arc:
        raise NoTemplateForArcError(
            f"No active template serves the emotional arc '{wanted.arc_key}'. Create one whose "
            f"emotional_arc_type is '{wanted.arc_key}', or activate one again.",
            details={"emotional_arc_type": wanted.arc_key},
        )
    for_tier = [template for template in for_arc if template.tier == wanted.tier]
    return min(
        for_tier or for_arc,
        key=lambda template: (-_fit(template, wanted), *_standing(template)),
    )


def rank_templates(templates: Iterable[PromptTemplate], wanted: Wanted) -> list[RankedTemplate]:
    """Score all active templates of the arc, best first; ties in the order of `select_template`.

    Weights of the original (its part 3.7), in hundredths: 50, +20 for the tier, persona listed
    +15, no list +10, left out -5, topic listed +10, no list +5, rating of 4.5 or more +5.
    """
    for_arc = _active_for_arc(templates, wanted.arc_key)
    scored = [(_hundredths(template, wanted), template) for template in for_arc]
    scored.sort(key=lambda pair: (-pair[0], *_standing(pair[1])))
    return [RankedTemplate(template, hundredths / 100) for hundredths, template in scored]


def _active_for_arc(templates: Iterable[PromptTemplate], arc_key: str) -> list[PromptTemplate]:
    return [one for one in templates if one.is_active and one.emotional_arc_type == arc_key]


def _standing(template: PromptTemplate) -> tuple[float, float, str, str]:
    """Sort key for templates that fit equally well; what has no figure comes after 0."""
    quality = -1.0 if template.quality_threshold is None else template.quality_threshold
    rating = -1.0 if template.rating is None else template.rating
    return -quality, -rating, template.template_name, template.id


def _fit(template: PromptTemplate, wanted: Wanted) -> float:
    lists = (
        (template.suitable_personas, wanted.persona_key),
        (template.suitable_topics, wanted.topic_key),
    )
    left_out = sum(key is not None and not fits(listed, key) for listed, key in lists)
    return 0.5**left_out


def _hundredths(template: PromptTemplate, wanted: Wanted) -> int:
    return (
        50
        + (20 if template.tier == wanted.tier else 0)
        + _listed(
            template.suitable_personas, wanted.persona_key, listed=15, no_list=10, left_out=-5
        )
        + _listed(template.suitable_topics, wanted.topic_key, listed=10, no_list=5, left_out=0)
        + (5 if template.rating is not None and template.rating >= GOOD_RATING else 0)
    )


def _listed(
    suitable: Sequence[str], key: str | None, *, listed: int, no_list: int, left_out: int
) -> int:
    """Weigh one list; a key that the caller does not give counts for nothing."""
    if key is None:
        return 0
    if not suitable:
        return no_list
    return listed if key in suitable else left_out
