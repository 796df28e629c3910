"""Planning: from a request to items."""

from __future__ import annotations

import pytest

from brightrun.batches.create_batch import BatchPlanner, ParameterSet, PlannedBatch, Selection
from brightrun.batches.model import ItemStatus
from brightrun.core.errors import BatchTooLargeError, NoTemplateForArcError, UnknownScaffoldingError
from brightrun.core.ids import item_id
from brightrun.scaffolding.catalog import ScaffoldingCatalog
from tests.builders import OWNER
from tests.fakes import scaffolding as records
from tests.fakes.scaffolding import InMemoryScaffolding

ONE = ParameterSet("overwhelmed_avoider", "confusion_to_clarity", "roth_ira_conversion")


def planner(repository: InMemoryScaffolding | None = None) -> BatchPlanner:
    return BatchPlanner(ScaffoldingCatalog(repository or InMemoryScaffolding()), OWNER)


def planned(*sets: ParameterSet, repository: InMemoryScaffolding | None = None) -> PlannedBatch:
    made = planner(repository)
    return made.plan(sets, job_id="job-1", model="claude-sonnet-5-5", now="2026-11-21T12:00:00Z")


def test_items_are_numbered_from_one_and_are_not_leased() -> None:
    items = planned(ONE, ONE).items
    assert [item.position for item in items] == [1, 2]
    assert [item.item_id for item in items] == [item_id("job-1", 1), item_id("job-1", 2)]
    assert {item.status for item in items} == {ItemStatus.QUEUED}
    assert {(item.attempts, item.generation, item.lease_token) for item in items} == {(0, 1, None)}


def test_ids_and_keys_name_the_same_records() -> None:
    by_id = ParameterSet(records.persona().id, records.arc().id, records.topic().id)
    first, second = planned(ONE, by_id).items
    assert (first.persona_id, first.emotional_arc_id) == (second.persona_id, records.arc().id)
    assert first.training_topic_key == second.training_topic_key == "roth_ira_conversion"


def test_the_tier_is_the_arcs_unless_the_caller_gives_another() -> None:
    edge = ParameterSet(*_keys(ONE), tier="edge_case")
    first, second = planned(ONE, edge).items
    assert (first.tier, second.tier) == (records.arc().tier, "edge_case")


def _keys(one: ParameterSet) -> tuple[str, str, str]:
    return one.persona, one.emotional_arc, one.training_topic


def test_every_record_is_in_the_plan_once_and_every_item_has_its_prompt() -> None:
    other = ParameterSet("anxious_planner", "fear_to_confidence", "roth_ira_conversion")
    batch = planned(ONE, other, ONE)
    assert len(batch.plan.personas) == len(batch.plan.emotional_arcs) == 2
    assert len(batch.plan.training_topics) == 1
    assert len({batch.plan.prompt(item).user for item in batch.items}) == 2


def test_scaffolding_is_read_once_for_each_kind_however_many_items_there_are() -> None:
    repository = InMemoryScaffolding()
    planned(*[ONE] * 200, repository=repository)
    assert repository.reads == 5


def test_a_record_named_twice_counts_once() -> None:
    chosen = Selection(
        ["overwhelmed_avoider", "overwhelmed_avoider"],
        ["confusion_to_clarity"],
        ["roth_ira_conversion"],
    )
    assert len(planner().expand(chosen)) == 1


def test_all_builtin_combinations_fit_one_job() -> None:
    sets = planner().expand(Selection("all", "all", "all"))
    assert len(sets) == len({_keys(one) for one in sets}) > 0


def test_the_limit_is_checked_before_the_combinations_are_made() -> None:
    names = tuple(f"x{number}" for number in range(101))
    with pytest.raises(BatchTooLargeError):
        planner().expand(Selection(names, names, ["roth_ira_conversion"]))


def test_a_template_requested_in_a_selection_is_used_for_every_item() -> None:
    template = records.template("fear_to_confidence")
    chosen = Selection("all", ["confusion_to_clarity"], ["roth_ira_conversion"], template.id)
    items = planned(*planner().expand(chosen)).items
    assert {item.template_id for item in items} == {template.id}


def test_an_arc_whose_templates_are_all_deactivated_is_refused_by_name() -> None:
    repository = InMemoryScaffolding()
    template = records.template()
    retired = template.model_copy(update={"is_active": False, "version": 1})
    repository.replace(OWNER, template, retired)
    with pytest.raises(NoTemplateForArcError, match="confusion_to_clarity"):
        planned(ONE, repository=repository)


def test_an_unknown_template_is_refused() -> None:
    with pytest.raises(UnknownScaffoldingError, match="no-such"):
        planned(ParameterSet(*_keys(ONE), template="no-such"))
