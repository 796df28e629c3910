"""Finding scaffolding by id or key, with few reads."""

from __future__ import annotations

import pytest

from brightrun.core.errors import NoTemplateForArcError, UnknownScaffoldingError
from brightrun.core.ids import NIL_UUID
from brightrun.scaffolding.catalog import ScaffoldingCatalog
from brightrun.scaffolding.matching import TemplateCriteria
from brightrun.scaffolding.model import EmotionalArc, Persona, PromptTemplate, TrainingTopic
from tests.fakes import scaffolding as build

OWNER = "owner-1"


@pytest.fixture
def rows() -> build.InMemoryScaffolding:
    return build.InMemoryScaffolding()


@pytest.fixture
def catalog(rows: build.InMemoryScaffolding) -> ScaffoldingCatalog:
    return ScaffoldingCatalog(rows)


def test_a_record_is_found_by_id_and_by_key(catalog: ScaffoldingCatalog) -> None:
    for record in (build.persona(), build.arc(), build.topic(), build.template()):
        assert catalog.get(OWNER, type(record), record.id) == record
        assert catalog.get(OWNER, type(record), record.key) == record


def test_a_near_miss_is_told_what_was_meant(catalog: ScaffoldingCatalog) -> None:
    with pytest.raises(UnknownScaffoldingError) as refusal:
        catalog.training_topic(OWNER, "roth_ira_conversions")
    assert refusal.value.kind == "training topic"
    assert refusal.value.details["near_matches"][0] == "roth_ira_conversion"
    assert "Did you mean roth_ira_conversion" in refusal.value.message


def test_an_id_that_resembles_nothing_gets_no_suggestion(catalog: ScaffoldingCatalog) -> None:
    with pytest.raises(UnknownScaffoldingError) as refusal:
        catalog.persona(OWNER, NIL_UUID)
    assert refusal.value.details["near_matches"] == []
    assert catalog.find(OWNER, Persona, NIL_UUID) is None


def test_only_active_records_are_listed_as_choices(catalog: ScaffoldingCatalog) -> None:
    assert len(catalog.all(OWNER, TrainingTopic)) == 65
    assert len(catalog.active(OWNER, TrainingTopic)) == 20


def test_ten_thousand_look_ups_cost_one_read_a_kind(
    catalog: ScaffoldingCatalog, rows: build.InMemoryScaffolding
) -> None:
    for _ in range(2_500):
        catalog.persona(OWNER, "anxious_planner")
        catalog.emotional_arc(OWNER, "fear_to_confidence")
        catalog.training_topic(OWNER, "long_term_care")
        catalog.choose_template(OWNER, None, TemplateCriteria("fear_to_confidence"))
        catalog.consultant(OWNER)
    assert rows.reads == 5


def test_an_owners_record_wins_over_a_built_in_one_of_the_same_key(
    catalog: ScaffoldingCatalog, rows: build.InMemoryScaffolding
) -> None:
    own = build.persona().model_copy(update={"id": "mine", "origin": "own"})
    rows.add(OWNER, own)
    assert catalog.persona(OWNER, own.key) == own
    assert catalog.persona(OWNER, build.persona().id) == build.persona()


def test_a_template_asked_for_wins(catalog: ScaffoldingCatalog) -> None:
    other = build.template("shame_to_acceptance")
    wanted = TemplateCriteria("fear_to_confidence")
    assert catalog.choose_template(OWNER, other.id, wanted) == other
    with pytest.raises(UnknownScaffoldingError, match="no-such-template"):
        catalog.choose_template(OWNER, "no-such-template", wanted)


@pytest.mark.parametrize("template_id", [None, "", NIL_UUID])
def test_no_template_and_the_nil_uuid_select_one(
    catalog: ScaffoldingCatalog, template_id: str | None
) -> None:
    chosen = catalog.choose_template(
        OWNER, template_id, TemplateCriteria("crisis_to_referral", "template")
    )
    assert chosen == build.template("crisis_to_referral")


def test_every_arc_has_a_template_to_select(catalog: ScaffoldingCatalog) -> None:
    for arc in catalog.all(OWNER, EmotionalArc):
        chosen = catalog.choose_template(OWNER, None, TemplateCriteria(arc.arc_key, arc.tier))
        assert chosen.emotional_arc_type == arc.arc_key


def test_an_arc_whose_template_is_deactivated_cannot_be_served(
    catalog: ScaffoldingCatalog, rows: build.InMemoryScaffolding
) -> None:
    seen = build.template("fear_to_confidence")
    off = seen.model_copy(update={"is_active": False, "version": 2, "origin": "edited"})
    rows.replace(OWNER, seen, off)
    assert catalog.template(OWNER, off.id) == off
    assert off not in catalog.active(OWNER, PromptTemplate)
    with pytest.raises(NoTemplateForArcError, match="fear_to_confidence"):
        catalog.choose_template(OWNER, None, TemplateCriteria("fear_to_confidence"))
