"""Planning: from a request to items."""

from __future__ import annotations

import itertools

import pytest

from brightrun.batches.model import ItemStatus
from brightrun.batches.plan import BatchPlan
from brightrun.batches.planner import (
    BatchPlanner,
    ParameterSet,
    PlannedBatch,
    Selection,
    spread_sample,
)
from brightrun.core.errors import (
    BatchTooLargeError,
    InvalidInputError,
    NoTemplateForArcError,
    UnknownScaffoldingError,
    UnplannableBatchError,
)
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


def test_a_batch_of_a_domain_has_all_of_its_records_and_its_consultant() -> None:
    nursing = BatchPlanner(ScaffoldingCatalog(InMemoryScaffolding()), OWNER, "nursing_handover")
    sets = nursing.expand(Selection("all", "all", ["sbar_structure"]))
    batch = nursing.plan(sets, job_id="job-1", model="m", now="2026-11-21T12:00:00Z")
    assert len(batch.items) == 15
    assert batch.plan.consultant.domain == "nursing_handover"


def test_a_record_of_another_domain_is_refused_with_its_own() -> None:
    strange = ParameterSet("agency_nurse", "confusion_to_clarity", "roth_ira_conversion")
    with pytest.raises(InvalidInputError, match="agency_nurse.* domain nursing_handover"):
        planned(strange)


def test_a_prompt_asks_for_a_language_only_if_it_is_not_english() -> None:
    catalog = ScaffoldingCatalog(InMemoryScaffolding())
    english, german = (
        BatchPlanner(catalog, OWNER, language=language).plan(
            [ONE], job_id="job-1", model="m", now="2026-11-21T12:00:00Z"
        )
        for language in ("en", "de")
    )
    plain = english.plan.prompt(english.items[0]).user
    asked = german.plan.prompt(german.items[0]).user
    assert "# Language" not in plain
    assert asked.startswith(plain)
    assert "in German" in asked.removeprefix(plain)


def test_the_tier_is_the_arcs_unless_the_caller_gives_another() -> None:
    edge = ParameterSet(*_keys(ONE), tier="edge_case")
    first, second = planned(ONE, edge).items
    assert (first.tier, second.tier) == (records.arc().tier, "edge_case")


def _keys(one: ParameterSet) -> tuple[str, str, str]:
    return one.combination


def test_every_record_is_in_the_plan_once_and_every_item_has_its_prompt() -> None:
    other = ParameterSet("anxious_planner", "fear_to_confidence", "roth_ira_conversion")
    batch = planned(ONE, other, ONE)
    assert len(batch.plan.personas) == len(batch.plan.emotional_arcs) == 2
    assert len(batch.plan.training_topics) == 1
    assert all(batch.plan.prompt(item).user for item in batch.items)
    assert batch.longest_prompt == max(batch.plan.prompt(item).size for item in batch.items)


def test_a_combination_that_is_written_again_asks_for_another_conversation() -> None:
    other = ParameterSet("anxious_planner", "fear_to_confidence", "roth_ira_conversion")
    batch = planned(ONE, other, ONE, ONE)
    assert [item.variation for item in batch.items] == [0, 0, 1, 2]
    first, _, second, third = (batch.plan.prompt(item).user for item in batch.items)
    assert second.startswith(first) and third.startswith(first)
    assert len({first, second, third}) == 3


def test_a_combination_that_is_written_once_has_the_prompt_of_its_template_alone() -> None:
    (item,) = (batch := planned(ONE)).items
    assert "<variation>" not in batch.plan.prompt(item).user
    assert batch.repetition_notice is None


def test_a_stored_plan_gives_a_repetition_the_same_prompt_again() -> None:
    batch = planned(ONE, ONE)
    stored = BatchPlan.model_validate_json(batch.plan.model_dump_json())
    assert [stored.prompt(item) for item in batch.items] == [
        batch.plan.prompt(item) for item in batch.items
    ]


def test_the_same_order_is_varied_alike_so_that_its_answers_can_be_taken_again() -> None:
    first, second = (
        made.plan.prompt(made.items[1]).user
        for job_id in ("job-1", "job-2")
        for made in [planner().plan([ONE, ONE], job_id=job_id, model="m", now="2026-11-21")]
    )
    assert first == second


def test_a_plan_that_is_small_for_its_conversations_says_so() -> None:
    other = ParameterSet("anxious_planner", "fear_to_confidence", "roth_ira_conversion")
    notice = planned(ONE, other, ONE, ONE).repetition_notice
    assert notice is not None
    assert "The 4 conversations are of 2 combinations" in notice
    assert "written 3 times" in notice


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


def without_template(arc_key: str = "confusion_to_clarity") -> InMemoryScaffolding:
    repository = InMemoryScaffolding()
    template = records.template(arc_key)
    retired = template.model_copy(update={"is_active": False, "version": 1})
    repository.replace(OWNER, template, retired)
    return repository


def test_everything_that_is_missing_is_named_at_once() -> None:
    broken = (
        ParameterSet("anxious_planer", "confusion_to_clarity", "roth_ira_conversion"),
        ParameterSet("anxious_planner", "no_arc", "no_topic"),
        ParameterSet("anxious_planner", "no_arc", "roth_ira_conversion"),
        ONE,
    )
    with pytest.raises(UnplannableBatchError) as refused:
        planned(*broken, repository=without_template())
    details = refused.value.details
    assert [(one["field"], one["code"]) for one in details] == [
        ("persona", "unknown_scaffolding"),
        ("no_template_for_arc", "no_template_for_arc"),
        ("emotional arc", "unknown_scaffolding"),
        ("training topic", "unknown_scaffolding"),
    ]
    assert all(one["message"] in refused.value.message for one in details)
    assert "Did you mean anxious_planner" in details[0]["message"]


def test_what_can_be_planned_is_planned_beside_what_is_missing() -> None:
    unknown = ParameterSet("nobody", "confusion_to_clarity", "roth_ira_conversion")
    batch = planner().try_plan([unknown, ONE], job_id="job-1", model="m", now="now")
    assert [item.position for item in batch.items] == [2]
    (fault,) = batch.faults
    assert isinstance(fault, UnknownScaffoldingError)


def test_more_faults_than_a_message_holds_are_counted_there_and_listed_in_details() -> None:
    sets = [ParameterSet(f"nobody_{number}", *_keys(ONE)[1:]) for number in range(13)]
    with pytest.raises(UnplannableBatchError, match=r"nobody_9'\. And 3 more\.") as refused:
        planned(*sets)
    assert len(refused.value.details) == 13


def test_combinations_that_do_not_fit_are_rated_with_their_reasons() -> None:
    batch = planned(*planner().expand(Selection("all", "all", "all")))
    rated = list(batch.compatibility())
    assert len(rated) == len(batch.items)
    for item, advice in rated:
        assert advice.is_compatible or advice.warnings
        assert item in batch.items
    assert any(advice.warnings for _, advice in rated)


def grid(personas: int, arcs: int, topics: int) -> list[ParameterSet]:
    names = [
        [f"{kind}{number}" for number in range(count)]
        for kind, count in (("p", personas), ("a", arcs), ("t", topics))
    ]
    return [ParameterSet(*one) for one in itertools.product(*names)]


@pytest.mark.parametrize("size", [1, 3, 7, 20])
def test_a_sample_shows_as_many_records_of_each_kind_as_it_can(size: int) -> None:
    sample = spread_sample(grid(3, 7, 20), size)
    assert len(sample) == len(set(sample)) == size
    for kind, count in enumerate((3, 7, 20)):
        assert len({one.combination[kind] for one in sample}) == min(size, count)


def test_the_same_sample_is_chosen_again_and_no_larger_than_there_is() -> None:
    sets = grid(2, 2, 2)
    assert spread_sample(sets, 3) == spread_sample(list(sets), 3)
    assert spread_sample(sets, 100) == sets


def test_the_rest_is_the_selection_without_its_sample_by_ids_or_keys() -> None:
    everything = Selection("all", "all", ["roth_ira_conversion"])
    sample = planner().expand(Selection("all", "all", ["roth_ira_conversion"], sample=4))
    keys = [
        (item.persona_key, item.emotional_arc_key, item.training_topic_key)
        for item in planned(*sample).items
    ]
    rest = Selection("all", "all", ["roth_ira_conversion"], exclude=keys)
    left = planner().expand(rest)
    assert len(left) == len(planner().expand(everything)) - 4
    assert not set(left) & set(sample)


def test_nothing_is_left_when_everything_is_excluded() -> None:
    alone = Selection(
        [ONE.persona], [ONE.emotional_arc], [ONE.training_topic], exclude=[_keys(ONE)]
    )
    assert planner().expand(alone) == []
    with pytest.raises(InvalidInputError, match="no items"):
        planned()
