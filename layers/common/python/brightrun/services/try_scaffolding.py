"""Try scaffolding out before anything is spent: do records fit, which template, what prompt."""

from __future__ import annotations

from dataclasses import dataclass, replace

from brightrun.domain.compatibility import Choices, Compatibility, check_compatibility
from brightrun.domain.prompt_assembly import Ingredients, Prompt, assemble_prompt
from brightrun.domain.scaffolding import EmotionalArc, Persona, PromptTemplate, TrainingTopic
from brightrun.domain.template_selection import RankedTemplate, Wanted, rank_templates
from brightrun.services.scaffolding_catalog import ScaffoldingCatalog


@dataclass(frozen=True, slots=True)
class Combination:
    """Ids or keys of what a conversation would be made of."""

    persona_id: str
    emotional_arc_id: str
    training_topic_id: str


def rate_combination(
    catalog: ScaffoldingCatalog, owner_id: str, chosen: Combination
) -> Compatibility:
    """Say how well a combination fits; records that do not exist make it incompatible."""
    return check_compatibility(
        catalog.find(owner_id, Persona, chosen.persona_id),
        catalog.find(owner_id, EmotionalArc, chosen.emotional_arc_id),
        catalog.find(owner_id, TrainingTopic, chosen.training_topic_id),
        Choices(
            arcs=catalog.active(owner_id, EmotionalArc),
            topics=catalog.active(owner_id, TrainingTopic),
        ),
    )


def resolve_template(
    catalog: ScaffoldingCatalog, owner_id: str, template_id: str, chosen: Combination
) -> Prompt:
    """Show the prompt that a template makes of a combination.

    Raises UnknownScaffoldingError and what `prompt_assembly.assemble_prompt` raises.
    """
    template = catalog.template(owner_id, template_id)
    ingredients = Ingredients(
        persona=catalog.persona(owner_id, chosen.persona_id),
        arc=catalog.emotional_arc(owner_id, chosen.emotional_arc_id),
        topic=catalog.training_topic(owner_id, chosen.training_topic_id),
        consultant=catalog.consultant(owner_id),
        tier=template.tier,
    )
    return assemble_prompt(template, ingredients)


def rank_for_arc(
    catalog: ScaffoldingCatalog, owner_id: str, wanted: Wanted
) -> list[RankedTemplate]:
    """Rank the active templates of an arc; raises UnknownScaffoldingError for the arc."""
    arc_key = catalog.emotional_arc(owner_id, wanted.arc_key).key
    templates = catalog.templates_for_arc(owner_id, arc_key)
    return rank_templates(templates, replace(wanted, arc_key=arc_key))


def select_for_arc(catalog: ScaffoldingCatalog, owner_id: str, wanted: Wanted) -> PromptTemplate:
    """Choose a template as a batch would.

    Raises UnknownScaffoldingError for the arc and NoTemplateForArcError.
    """
    arc_key = catalog.emotional_arc(owner_id, wanted.arc_key).key
    return catalog.choose_template(owner_id, None, replace(wanted, arc_key=arc_key))
