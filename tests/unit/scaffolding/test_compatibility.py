"""The compatibility check, with v1's weights in exact arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brightrun.scaffolding.builtin import builtin_records
from brightrun.scaffolding.matching import Choices, Compatibility, check_compatibility
from brightrun.scaffolding.model import EmotionalArc, Persona, TrainingTopic
from tests.fakes import scaffolding as build

CHOICES = Choices(
    arcs=[one for one in builtin_records(EmotionalArc) if one.is_active],
    topics=[one for one in builtin_records(TrainingTopic) if one.is_active],
)

# persona, arc, topic -> confidence, calculated by hand from v1's rules.
GOLDEN = {
    ("overwhelmed_avoider", "confusion_to_clarity", "roth_ira_conversion"): 1.0,
    ("pragmatic_optimist", "confusion_to_clarity", "roth_ira_conversion"): 0.85,
    ("overwhelmed_avoider", "confusion_to_clarity", "mortgage_payoff_strategy"): 0.65,
    ("anxious_planner", "shame_to_acceptance", "hiding_financial_problems"): 1.0,
    ("pragmatic_optimist", "shame_to_acceptance", "hiding_financial_problems"): 0.65,
    ("pragmatic_optimist", "shame_to_acceptance", "long_term_care"): 0.3,
    ("overwhelmed_avoider", "guilt_to_permission", "long_term_care"): 0.3,
    ("anxious_planner", "crisis_to_referral", "eldercare_costs"): 0.85,
    ("pragmatic_optimist", "crisis_to_referral", "eldercare_costs"): 0.7,
}


@pytest.mark.parametrize(("names", "confidence"), list(GOLDEN.items()))
def test_confidence_is_exactly_what_the_weights_say(
    names: tuple[str, str, str], confidence: float
) -> None:
    advice = rate(*names)
    assert advice.confidence == confidence
    assert advice.is_compatible is (confidence > 0.3)


def test_a_total_mismatch_is_incompatible() -> None:
    advice = rate("pragmatic_optimist", "shame_to_acceptance", "long_term_care")
    assert not advice.is_compatible
    assert advice.confidence == 0.3
    assert len(advice.warnings) == 4


def test_each_mismatch_is_named_with_a_way_out() -> None:
    advice = rate("pragmatic_optimist", "shame_to_acceptance", "long_term_care")
    assert advice.warnings == (
        "The arc Shame → Acceptance is not meant for David Chen (The Pragmatic Optimist).",
        "The arc Shame → Acceptance is not meant for the topic Long-Term Care Planning.",
        "The topic Long-Term Care Planning is not meant for David Chen (The Pragmatic Optimist).",
        "The topic Long-Term Care Planning is not meant for the arc Shame → Acceptance.",
    )
    assert (
        "Arcs for David Chen: Confusion → Clarity (confusion_to_clarity)" in advice.suggestions[0]
    )
    assert "ignored_401k" in advice.suggestions[1]
    assert advice.suggestions[3] == (
        "Arcs for the topic Long-Term Care Planning: Confusion → Clarity (confusion_to_clarity), "
        "Fear → Confidence (fear_to_confidence)."
    )


def test_a_perfect_match_needs_no_advice() -> None:
    advice = rate("overwhelmed_avoider", "confusion_to_clarity", "roth_ira_conversion")
    assert (advice.warnings, advice.suggestions) == ((), ())


def test_a_missing_record_makes_the_confidence_zero() -> None:
    advice = check_compatibility(build.persona(), None, build.topic(), CHOICES)
    assert (advice.is_compatible, advice.confidence) == (False, 0.0)
    assert advice.warnings == ("The emotional arc does not exist.",)
    assert advice.suggestions


def test_only_records_to_choose_from_are_suggested() -> None:
    advice = check_compatibility(
        build.persona("pragmatic_optimist"),
        build.arc("shame_to_acceptance"),
        build.topic("long_term_care"),
        Choices(),
    )
    assert advice.suggestions == ()


def test_a_combination_is_incompatible_only_when_all_four_lists_leave_it_out() -> None:
    ratings = [
        check_compatibility(persona, arc, topic, Choices())
        for persona in builtin_records(Persona)
        for arc in builtin_records(EmotionalArc)
        for topic in builtin_records(TrainingTopic)
    ]
    assert len(ratings) == 3 * 10 * 65
    assert all(rated.is_compatible is (len(rated.warnings) < 4) for rated in ratings)
    assert 0 < sum(not rated.is_compatible for rated in ratings) < len(ratings)


@given(st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()))
def test_each_list_takes_its_own_weight_off(fitting: tuple[bool, bool, bool, bool]) -> None:
    persona, arc, topic = build.persona(), build.arc(), build.topic()
    arc = arc.model_copy(
        update={
            "suitable_personas": (persona.key if fitting[0] else "other",),
            "suitable_topics": (topic.key if fitting[1] else "other",),
        }
    )
    topic = topic.model_copy(
        update={
            "suitable_personas": () if fitting[2] else ("other",),
            "suitable_emotional_arcs": () if fitting[3] else ("other",),
        }
    )
    lost = sum(weight for weight, fits in zip((20, 20, 15, 15), fitting, strict=True) if not fits)
    assert check_compatibility(persona, arc, topic, Choices()).confidence == (100 - lost) / 100


def rate(persona_key: str, arc_key: str, topic_key: str) -> Compatibility:
    return check_compatibility(
        build.persona(persona_key), build.arc(arc_key), build.topic(topic_key), CHOICES
    )
