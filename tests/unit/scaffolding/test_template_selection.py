"""Which template is taken when none is named."""

from __future__ import annotations

import itertools

import pytest

from brightrun.core.errors import NoTemplateForArcError
from brightrun.scaffolding.matching import TemplateCriteria, rank_templates, select_template
from brightrun.scaffolding.model import PromptTemplate
from tests.fakes import scaffolding as build

ARC = "confusion_to_clarity"


def a_template(name: str, **changes: object) -> PromptTemplate:
    fields = {"id": name, "template_name": name, "quality_threshold": None, "rating": None}
    return build.template(ARC, **{**fields, **changes})


def chosen(*templates: PromptTemplate, **wanted: str) -> str:
    names = {
        select_template(order, TemplateCriteria(ARC, **wanted)).template_name
        for order in itertools.permutations(templates)
    }
    assert len(names) == 1, "the choice must not depend on the order of the rows"
    return names.pop()


def test_a_template_of_the_tier_comes_first() -> None:
    other = a_template("a", tier="template", quality_threshold=5.0)
    assert chosen(other, a_template("b", tier="scenario"), tier="scenario") == "b"


def test_any_tier_serves_when_the_tier_has_none() -> None:
    assert chosen(a_template("a", tier="template"), tier="edge_case") == "a"


def test_a_list_that_leaves_the_persona_out_halves_the_fit() -> None:
    left_out = a_template("a", suitable_personas=("anxious_planner",), quality_threshold=5.0)
    both_out = a_template("b", suitable_personas=("anxious_planner",), suitable_topics=("x_y",))
    fitting = a_template("c", suitable_personas=("overwhelmed_avoider",))
    wanted = {"persona_key": "overwhelmed_avoider", "topic_key": "esg_investing"}
    assert chosen(left_out, both_out, fitting, **wanted) == "c"
    assert chosen(left_out, both_out, **wanted) == "a"


def test_quality_then_rating_then_name_then_id_decide() -> None:
    assert chosen(a_template("a"), a_template("b", quality_threshold=4.0)) == "b"
    assert chosen(a_template("a", rating=1.0), a_template("b", rating=3.5)) == "b"
    assert chosen(a_template("b", rating=2.0), a_template("a", rating=2.0)) == "a"
    assert chosen(a_template("same", id="2"), a_template("same", id="1", rating=None)) == "same"
    twins = [a_template("same", id="2"), a_template("same", id="1")]
    assert select_template(twins, TemplateCriteria(ARC)).id == "1"


def test_an_unknown_figure_comes_after_a_known_one() -> None:
    assert chosen(a_template("a"), a_template("b", quality_threshold=0.0)) == "b"


def test_deactivated_templates_and_those_of_other_arcs_are_left_out() -> None:
    deactivated = a_template("a", is_active=False)
    other_arc = a_template("b", emotional_arc_type="fear_to_confidence")
    with pytest.raises(NoTemplateForArcError, match=ARC) as refusal:
        select_template([deactivated, other_arc], TemplateCriteria(ARC))
    assert "activate" in refusal.value.message
    assert refusal.value.details == {"emotional_arc_type": ARC}
    assert rank_templates([deactivated, other_arc], TemplateCriteria(ARC)) == []


@pytest.mark.parametrize(
    ("changes", "score"),
    [
        ({}, 0.85),
        ({"tier": "scenario"}, 0.65),
        ({"suitable_personas": ("overwhelmed_avoider",)}, 0.9),
        ({"suitable_personas": ("anxious_planner",)}, 0.7),
        ({"suitable_topics": ("esg_investing",)}, 0.9),
        ({"suitable_topics": ("backdoor_roth",)}, 0.8),
        ({"rating": 4.5}, 0.9),
        ({"rating": 4.4}, 0.85),
        (
            {
                "suitable_personas": ("overwhelmed_avoider",),
                "suitable_topics": ("esg_investing",),
                "rating": 5.0,
            },
            1.0,
        ),
        (
            {
                "tier": "scenario",
                "suitable_personas": ("anxious_planner",),
                "suitable_topics": ("backdoor_roth",),
            },
            0.45,
        ),
    ],
)
def test_ranking_scores_are_exact(changes: dict[str, object], score: float) -> None:
    wanted = TemplateCriteria(ARC, "template", "overwhelmed_avoider", "esg_investing")
    assert rank_templates([a_template("a", **changes)], wanted)[0].score == score


def test_what_the_caller_does_not_say_counts_for_nothing() -> None:
    listed = a_template("a", suitable_personas=("x_y",), suitable_topics=("x_y",))
    assert rank_templates([listed], TemplateCriteria(ARC))[0].score == 0.5


def test_ranking_is_best_first_and_ties_follow_the_choice() -> None:
    templates = [a_template("b"), a_template("a"), a_template("c", rating=4.9)]
    ranked = rank_templates(templates, TemplateCriteria(ARC, "template"))
    assert [one.template.template_name for one in ranked] == ["c", "a", "b"]
