"""The placeholders of templates, and the assembly of prompts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from brightrun.claude.model import Prompt
from brightrun.scaffolding.model import (
    Consultant,
    EmotionalArc,
    Persona,
    PromptTemplate,
    Tier,
    TrainingTopic,
)
from brightrun.scaffolding.templates import render

SCAFFOLDING_BLOCK = """\
<scaffolding>
persona: {{persona_name}} | {{persona_archetype}} | {{persona_key}}
arc: {{emotional_arc_name}} | {{emotional_arc_key}}
from: {{starting_emotion}} {{starting_intensity_min}}-{{starting_intensity_max}}
to: {{ending_emotion}} {{ending_intensity_min}}-{{ending_intensity_max}}
exchanges: {{typical_turn_count_min}}-{{typical_turn_count_max}}
topic: {{topic_name}} | {{topic_key}}
key_concepts: {{topic_key_concepts}}
</scaffolding>"""
"""The summary that every prompt contains, readable by people and programs."""


@dataclass(frozen=True, slots=True)
class PromptContext:
    """The records that one conversation is generated from."""

    persona: Persona
    arc: EmotionalArc
    topic: TrainingTopic
    consultant: Consultant
    tier: Tier


def assemble_prompt(template: PromptTemplate, context: PromptContext) -> Prompt:
    """Render a template for one conversation; the system prompt is the consultant's.

    Appends the scaffolding block to a template that does not contain it, so that persona, arc and
    topic always reach Claude. Raises the errors of `templates.render`.
    """
    text = template.template_text
    if "<scaffolding>" not in text:
        text = f"{text}\n\n{SCAFFOLDING_BLOCK}\n"
    return Prompt(
        system=context.consultant.system_prompt,
        user=render(text, template.template_name, parameters(context)),
        template_id=template.id,
        template_version=template.version,
    )


def parameters(context: PromptContext) -> dict[str, str]:
    """The value of every placeholder for one conversation."""
    return {name: value(context) for name, value in PLACEHOLDERS.items()}


def client_summary(persona: Persona) -> str:
    """Describe the client in one line, without the fields that the record lacks."""
    who = persona.demographics
    parts = (f"Age {who.age}", who.gender, who.location, who.family_status)
    return ", ".join(part for part in parts if part)


def _lines(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _principles(consultant: Consultant) -> str:
    return _lines(consultant.core_philosophy.model_dump().values())


def _specialist_note(topic: TrainingTopic) -> str:
    if topic.requires_specialist:
        return "The consultant explains the groundwork and names the kind of specialist it needs."
    return "A financial planner can answer this in general terms."


def _exchange_range(arc: EmotionalArc) -> str:
    return f"{arc.typical_turn_count_min}-{arc.typical_turn_count_max}"


PLACEHOLDERS: Mapping[str, Callable[[PromptContext], str]] = {
    "persona_name": lambda i: i.persona.name,
    "persona_key": lambda i: i.persona.persona_key,
    "persona_type": lambda i: i.persona.persona_key,
    "persona_archetype": lambda i: i.persona.archetype,
    "persona_age": lambda i: str(i.persona.demographics.age),
    "persona_age_range": lambda i: i.persona.age_range,
    "persona_career": lambda i: i.persona.occupation,
    "persona_income": lambda i: i.persona.income_range,
    "persona_demographics": lambda i: client_summary(i.persona),
    "persona_financial_background": lambda i: i.persona.financial_background,
    "persona_financial_situation": lambda i: i.persona.financial_situation,
    "persona_communication_style": lambda i: i.persona.communication_style,
    "persona_emotional_baseline": lambda i: i.persona.emotional_baseline,
    "persona_typical_questions": lambda i: _lines(i.persona.typical_questions),
    "persona_common_concerns": lambda i: _lines(i.persona.common_concerns),
    "persona_language_patterns": lambda i: _lines(i.persona.language_patterns),
    "persona_traits": lambda i: ", ".join(i.persona.language_patterns),
    "emotional_arc_name": lambda i: i.arc.name,
    "emotional_arc_key": lambda i: i.arc.arc_key,
    "emotional_arc_type": lambda i: i.arc.arc_key,
    "starting_emotion": lambda i: i.arc.starting_emotion,
    "starting_intensity_min": lambda i: f"{i.arc.starting_intensity_min:g}",
    "starting_intensity_max": lambda i: f"{i.arc.starting_intensity_max:g}",
    "ending_emotion": lambda i: i.arc.ending_emotion,
    "ending_intensity_min": lambda i: f"{i.arc.ending_intensity_min:g}",
    "ending_intensity_max": lambda i: f"{i.arc.ending_intensity_max:g}",
    "arc_strategy": lambda i: i.arc.arc_strategy.replace("_", " "),
    "arc_complexity": lambda i: str(i.arc.complexity_baseline),
    "arc_key_principles": lambda i: _lines(i.arc.key_principles),
    "arc_characteristic_phrases": lambda i: _lines(i.arc.characteristic_phrases),
    "arc_response_techniques": lambda i: _lines(i.arc.response_techniques),
    "arc_avoid_tactics": lambda i: _lines(i.arc.avoid_tactics),
    "typical_turn_count_min": lambda i: str(i.arc.typical_turn_count_min),
    "typical_turn_count_max": lambda i: str(i.arc.typical_turn_count_max),
    "target_turns": lambda i: _exchange_range(i.arc),
    "target_turn_count": lambda i: _exchange_range(i.arc),
    "topic_name": lambda i: i.topic.name,
    "topic_key": lambda i: i.topic.topic_key,
    "topic_category": lambda i: i.topic.category.replace("_", " "),
    "topic_complexity": lambda i: i.topic.complexity_level,
    "topic_description": lambda i: i.topic.description,
    "topic_example_questions": lambda i: _lines(i.topic.typical_question_examples),
    "typical_questions": lambda i: _lines(i.topic.typical_question_examples),
    "topic_key_concepts": lambda i: "; ".join(i.topic.key_concepts),
    "topic_specialist_note": lambda i: _specialist_note(i.topic),
    "consultant_name": lambda i: i.consultant.name,
    "consultant_business": lambda i: i.consultant.business,
    "consultant_expertise": lambda i: i.consultant.expertise,
    "consultant_years_experience": lambda i: str(i.consultant.years_experience),
    "consultant_tone": lambda i: i.consultant.communication_style.tone,
    "consultant_principles": lambda i: _principles(i.consultant),
    "consultant_techniques": lambda i: _lines(i.consultant.communication_style.techniques),
    "consultant_avoid": lambda i: _lines(i.consultant.communication_style.avoid),
    "tier": lambda i: i.tier,
}
"""Every placeholder, and how its value is found. The names of v1's templates still work, including
its synonyms (persona_type, target_turns, typical_questions...)."""
