"""The prompt: all fields of the records reach Claude, and no placeholder is left."""

from __future__ import annotations

import itertools
import re

import pytest

from brightrun.claude.model import Prompt
from brightrun.core.errors import UnresolvedPlaceholderError
from brightrun.scaffolding.builtin import builtin_records
from brightrun.scaffolding.model import EmotionalArc, Persona, PromptTemplate, TrainingTopic
from brightrun.scaffolding.prompts import (
    SCAFFOLDING_BLOCK,
    PromptContext,
    assemble_prompt,
    client_summary,
    parameters,
    placeholders_of,
)
from tests.fakes import scaffolding as build

ARC_KEYS = [arc.arc_key for arc in builtin_records(EmotionalArc)]
PERSONA_KEYS = [persona.persona_key for persona in builtin_records(Persona)]


def ingredients(
    persona_key: str = "anxious_planner",
    arc_key: str = "fear_to_confidence",
    topic_key: str = "long_term_care",
) -> PromptContext:
    arc = build.arc(arc_key)
    return PromptContext(
        persona=build.persona(persona_key),
        arc=arc,
        topic=build.topic(topic_key),
        consultant=build.consultant(),
        tier=arc.tier,
    )


def prompt(arc_key: str) -> Prompt:
    return assemble_prompt(build.template(arc_key), ingredients(arc_key=arc_key))


@pytest.mark.parametrize("persona_key", PERSONA_KEYS)
@pytest.mark.parametrize("arc_key", ARC_KEYS)
def test_every_topic_renders_for_arc_and_persona(arc_key: str, persona_key: str) -> None:
    template = build.template(arc_key)
    for topic in builtin_records(TrainingTopic):
        text = assemble_prompt(template, ingredients(persona_key, arc_key, topic.topic_key)).user
        assert "{{" not in text
        assert "[arc guidance]" not in text
        assert topic.description in text
        assert 5_000 < len(text) < 8_000


@pytest.mark.parametrize("arc_key", ARC_KEYS)
def test_every_shipped_template_holds_the_scaffolding_block_once(arc_key: str) -> None:
    text = build.template(arc_key).template_text
    assert text.count(SCAFFOLDING_BLOCK) == text.count("<scaffolding>") == 1


def test_the_scaffolding_block_can_be_read_back() -> None:
    text = prompt("fear_to_confidence").user
    block = re.search(r"<scaffolding>\n(.*)\n</scaffolding>", text, re.DOTALL)
    assert block is not None
    assert block.group(1).splitlines() == [
        "persona: Jennifer Martinez | The Anxious Planner | anxious_planner",
        "arc: Fear → Confidence | fear_to_confidence",
        "from: fear 0.75-0.9",
        "to: confidence 0.65-0.8",
        "exchanges: 4-6",
        "topic: Long-Term Care Planning | long_term_care",
        "key_concepts: LTC costs; self-insuring; hybrid policies; timing considerations",
    ]


@pytest.mark.parametrize("arc_key", ARC_KEYS)
def test_all_that_the_records_say_reaches_claude(arc_key: str) -> None:
    used = ingredients(arc_key=arc_key)
    text = assemble_prompt(build.template(arc_key), used).user
    lists = (
        used.arc.key_principles,
        used.arc.characteristic_phrases,
        used.arc.response_techniques,
        used.arc.avoid_tactics,
        used.persona.typical_questions,
        used.persona.common_concerns,
        used.persona.language_patterns,
        used.topic.typical_question_examples,
        used.consultant.core_philosophy.model_dump().values(),
    )
    for sentence in itertools.chain.from_iterable(lists):
        assert sentence in text
    for prose in (
        used.persona.background,
        used.persona.situation,
        used.persona.communication_style,
        used.persona.emotional_baseline,
    ):
        assert prose in text


def test_the_consultant_is_the_system_prompt() -> None:
    made = prompt("shame_to_acceptance")
    assert made.system == build.consultant().system_prompt
    assert (made.template_id, made.template_version) == (
        build.template("shame_to_acceptance").id,
        1,
    )


@pytest.mark.parametrize("arc_key", ARC_KEYS)
def test_no_template_talks_about_escaping_or_asks_for_another_format(arc_key: str) -> None:
    text = build.template(arc_key).template_text.lower()
    for trap in ("escap", "backslash", "\\", "json", "training_pairs", "```"):
        assert trap not in text


def test_the_crisis_template_surfaces_the_lifeline_and_gives_no_financial_advice() -> None:
    text = build.template("crisis_to_referral").template_text
    assert "988 Suicide & Crisis Lifeline (call or text 988" in text
    assert "No financial advice, figure, plan or evaluation" in text
    assert "limits of the role" in text
    assert "follow-up" in text
    assert "988" in " ".join(build.arc("crisis_to_referral").characteristic_phrases)


def test_the_hostility_template_sets_a_limit_calmly() -> None:
    text = build.template("hostility_to_boundary").template_text
    assert "the limit is set once, calmly" in text


def test_the_triage_template_takes_one_issue_and_one_step_within_a_day() -> None:
    text = build.template("overwhelm_to_triage").template_text
    assert "Exactly one issue and one step" in text
    assert "within the next 24 hours" in text


def test_every_template_says_what_to_do_on_a_hint_of_suicide() -> None:
    for template in builtin_records(PromptTemplate):
        assert "988 Suicide & Crisis Lifeline (call or text)" in template.template_text


def test_every_placeholder_has_a_value_for_every_shipped_record() -> None:
    for persona_key, arc_key in itertools.product(PERSONA_KEYS, ARC_KEYS):
        values = parameters(ingredients(persona_key, arc_key))
        assert tuple(values) == placeholders_of(build.topic().pack)
        assert all(value.strip() for value in values.values())


def test_a_template_that_places_no_block_gets_it_at_its_end() -> None:
    plain = build.template(template_text="Write something for {{persona_name}}.")
    text = assemble_prompt(plain, ingredients()).user
    assert text.startswith("Write something for Jennifer Martinez.\n\n<scaffolding>\npersona: ")
    assert text.endswith("</scaffolding>\n")


def test_an_unknown_placeholder_stops_the_prompt() -> None:
    broken = build.template(template_text="{{persona_anxiety_triggers}} {{persona_name}}")
    with pytest.raises(UnresolvedPlaceholderError, match="persona_anxiety_triggers"):
        assemble_prompt(broken, ingredients())


def test_a_persona_cannot_smuggle_in_a_placeholder() -> None:
    used = ingredients()
    sly = used.persona.model_copy(update={"financial_background": "{{consultant_name}} knows"})
    text = assemble_prompt(
        build.template("fear_to_confidence"),
        PromptContext(sly, used.arc, used.topic, used.consultant, used.tier),
    ).user
    assert "{{consultant_name}} knows" in text


def test_a_topic_that_needs_a_specialist_says_so() -> None:
    assert (
        "specialist"
        in parameters(ingredients(topic_key="estate_planning_basics"))["topic_specialist_note"]
    )


def test_the_client_is_summed_up_without_what_is_not_known() -> None:
    marcus = build.persona()
    assert client_summary(marcus) == (
        "Age 37, male, Urban/Suburban, single or married without kids"
    )
    unknown = marcus.demographics.model_copy(update={"gender": None, "location": None})
    assert client_summary(marcus.model_copy(update={"demographics": unknown})) == (
        "Age 37, single or married without kids"
    )
