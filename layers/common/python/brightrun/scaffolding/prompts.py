"""The placeholders of templates, and the assembly of prompts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from brightrun.claude.model import Prompt
from brightrun.core.fields import Tier
from brightrun.core.languages import ENGLISH, LANGUAGES
from brightrun.scaffolding.model import (
    Consultant,
    EmotionalArc,
    Persona,
    PromptTemplate,
    TrainingTopic,
)
from brightrun.scaffolding.templates import fill, render
from brightrun.scaffolding.variation import variation_hint

if TYPE_CHECKING:
    from brightrun.scaffolding.pack import DomainPack

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
_IN_ANOTHER_LANGUAGE = """
# Language

Write every message of the conversation, session_context and expected_outcome in {name}, as native \
speakers write it. What this brief quotes in English is translated in spirit. client_persona, \
conversation_phase and the emotions of emotional_context stay in English.
"""


@dataclass(frozen=True, slots=True)
class PromptContext:
    """The records that one conversation is generated from."""

    persona: Persona
    arc: EmotionalArc
    topic: TrainingTopic
    consultant: Consultant
    tier: Tier
    language: str = ENGLISH


@dataclass(frozen=True, slots=True)
class PromptPreview:
    """A prompt that may be incomplete; `unresolved` names the placeholders left in `user`."""

    user: str
    system: str
    unresolved: tuple[str, ...]


def assemble_prompt(
    template: PromptTemplate, context: PromptContext, *, seed: str = "", variation: int = 0
) -> Prompt:
    """Render a template for one conversation; the system prompt is the consultant's.

    Appends the scaffolding block to a template that does not contain it, so that persona, arc and
    topic always reach Claude, and the hint of a `variation` above 0. Raises the errors of
    `templates.render`.
    """
    text = _with_scaffolding(template.template_text)
    user = render(text, template.template_name, parameters(context))
    if variation:
        user = f"{user}\n\n{variation_hint(seed, variation)}\n"
    return Prompt(
        system=context.consultant.system_prompt,
        user=user + _language_note(context.language),
        template_id=template.id,
        template_version=template.version,
    )


def preview_prompt(template_text: str, context: PromptContext) -> PromptPreview:
    """Render a text as `assemble_prompt` does; what has no value stays as `{{name}}`.

    Raises TemplateSyntaxError.
    """
    text = _with_scaffolding(template_text)
    user, unresolved = fill(text, "the template", parameters(context))
    return PromptPreview(user, context.consultant.system_prompt, tuple(unresolved))


def _language_note(language: str) -> str:
    """What a prompt says of its language: nothing for English, which the prompts are in."""
    return "" if language == ENGLISH else _IN_ANOTHER_LANGUAGE.format(name=LANGUAGES[language])


def _with_scaffolding(template_text: str) -> str:
    if "<scaffolding>" in template_text:
        return template_text
    return f"{template_text}\n\n{SCAFFOLDING_BLOCK}\n"


def parameters(context: PromptContext) -> dict[str, str]:
    """The value of every placeholder for one conversation."""
    values = {name: value(context) for name, value in PLACEHOLDERS.items()}
    for field in context.persona.pack.persona.fields:
        value = context.persona.field(field.name)
        values[field.placeholder] = value if isinstance(value, str) else _lines(value)
    return values


def placeholders_of(pack: DomainPack) -> tuple[str, ...]:
    """The names of all placeholders that a template of a domain may use."""
    return (*PLACEHOLDERS, *(field.placeholder for field in pack.persona.fields))


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
    return topic.pack.specialist_note if topic.requires_specialist else topic.pack.general_note


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
    "persona_demographics": lambda i: client_summary(i.persona),
    "persona_background": lambda i: i.persona.background,
    "persona_situation": lambda i: i.persona.situation,
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
    "crisis_resources": lambda i: _lines(i.topic.pack.crisis_lines),
    "tier": lambda i: i.tier,
}
"""The placeholders of every domain, and how their values are found.

The names of v1's templates still work, with its synonyms (persona_type, typical_questions...)."""
