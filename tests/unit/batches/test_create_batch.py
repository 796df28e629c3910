"""Creating a batch: everything is checked before anything is stored, and nothing stored twice."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from brightrun.aws.request_keys import MAX_REQUEST_S
from brightrun.batches.create_batch import (
    BatchCreator,
    BatchRequest,
    JobStarter,
)
from brightrun.batches.model import MAX_ITEMS, BatchItem, BatchJob, JobStatus, TokensUsed
from brightrun.batches.plan import BatchPlan
from brightrun.batches.planner import ParameterSet, Selection
from brightrun.core.errors import (
    BatchTooLargeError,
    BrightRunError,
    IdempotencyKeyReusedError,
    InvalidInputError,
    RequestInProgressError,
    StorageError,
    UnknownScaffoldingError,
    UnresolvedPlaceholderError,
    UnusableModelError,
)
from brightrun.core.ids import NIL_UUID
from brightrun.scaffolding.model import Persona, PromptTemplate
from tests import builders as build
from tests.builders import OWNER, STRANGER, SteppedClock
from tests.fakes import scaffolding as records
from tests.fakes.batches import InMemoryBatches
from tests.fakes.external_services import InMemoryKeys, InMemoryObjects, RecordedWorkflow
from tests.fakes.scaffolding import InMemoryScaffolding

ONE = ParameterSet("overwhelmed_avoider", "confusion_to_clarity", "roth_ira_conversion")
REQUEST = BatchRequest(name="A batch", sets=[ONE])


@dataclass
class Setup:
    """Everything that creating a batch touches, in memory."""

    clock: SteppedClock = field(default_factory=SteppedClock)
    scaffolding: InMemoryScaffolding = field(default_factory=InMemoryScaffolding)
    batches: InMemoryBatches = field(default_factory=InMemoryBatches)
    plans: InMemoryObjects = field(default_factory=InMemoryObjects)
    keys: InMemoryKeys = field(default_factory=InMemoryKeys)
    workflow: RecordedWorkflow = field(default_factory=RecordedWorkflow)
    model: str = "claude-sonnet-5-5"

    def creator(self) -> BatchCreator:
        return BatchCreator(
            scaffolding=self.scaffolding,
            starter=JobStarter(
                self.batches, self.plans, self.keys, self.workflow, self.batches.budgets
            ),
            clock=self.clock,
            model=self.model,
        )

    def create(
        self, request: BatchRequest = REQUEST, key: str | None = None, owner: str = OWNER
    ) -> BatchJob:
        return self.creator().create(owner, request, key).job

    def jobs(self, owner: str = OWNER) -> tuple[BatchJob, ...]:
        return self.batches.jobs(owner, status=None, limit=100, cursor=None).records

    def items(self, job: BatchJob) -> tuple[BatchItem, ...]:
        page = self.batches.items(
            job.owner_id, job.job_id, status=None, limit=MAX_ITEMS, cursor=None
        )
        return page.records

    def nothing_was_stored(self) -> bool:
        return not (self.jobs() or self.plans.objects or self.workflow.started)


def refused(setup: Setup, request: BatchRequest, error: type[BrightRunError]) -> BrightRunError:
    with pytest.raises(error) as caught:
        setup.create(request)
    assert setup.nothing_was_stored()
    return caught.value


def test_a_new_job_is_queued_with_all_its_items_and_its_workflow_is_started() -> None:
    setup = Setup()
    job = setup.create(BatchRequest(name="Mine", sets=[ONE] * 3))
    assert (job.status, job.name, job.total_items) == (JobStatus.QUEUED, "Mine", 3)
    assert job.queued_items == 3
    assert setup.jobs() == (job,)
    assert [item.position for item in setup.items(job)] == [1, 2, 3]
    assert setup.workflow.started == [f"{job.job_id}-1"]


def test_the_plan_keeps_the_scaffolding_as_it_was() -> None:
    setup = Setup()
    job = setup.create()
    before = setup.plans.objects[job.plan_key].text
    persona = records.persona()
    edited = persona.model_copy(update={"name": "Another Name", "version": 1})
    setup.scaffolding.replace(OWNER, persona, edited)
    assert setup.plans.objects[job.plan_key].text == before
    plan = BatchPlan.model_validate_json(before)
    assert plan.prompt(setup.items(job)[0]).user
    assert "Another Name" not in before


def test_the_callers_options_are_on_the_job() -> None:
    request = BatchRequest(
        name="x",
        sets=[ONE] * 40,
        concurrent_processing=7,
        error_handling="stop",
        priority="high",
    )
    job = Setup().create(request)
    assert (job.concurrent_processing, job.calls_per_worker) == (7, 6)
    assert (job.error_handling, job.priority, job.model) == ("stop", "high", "claude-sonnet-5-5")


def test_there_are_no_more_workers_than_items() -> None:
    job = Setup().create(BatchRequest(name="x", sets=[ONE] * 2, concurrent_processing=10))
    assert (job.concurrent_processing, job.calls_per_worker) == (2, 1)


def test_the_caller_may_limit_the_calls_that_a_worker_keeps_in_flight() -> None:
    sets = [ONE] * 200
    bounded = BatchRequest(name="x", sets=sets, concurrent_processing=2, calls_per_worker=10)
    free = BatchRequest(name="x", sets=sets, concurrent_processing=2)
    assert Setup().create(bounded).calls_per_worker == 10
    assert Setup().create(free).calls_per_worker == 25


def test_the_estimate_grows_with_the_items() -> None:
    setup = Setup()
    small = setup.creator().create(OWNER, REQUEST, None)
    large = setup.creator().create(OWNER, BatchRequest(name="x", sets=[ONE] * 100), None)
    assert 0 < small.estimated_cost < large.estimated_cost
    assert 0 < small.estimated_time <= large.estimated_time


def completed_batch(setup: Setup, model: str = "claude-sonnet-5-5", owner: str = OWNER) -> None:
    """A batch of an owner whose 20 conversations had 1,000 output tokens each."""
    planned = build.a_plan(1, owner=owner, job_id=f"earlier-{model}-{owner}")
    item = planned.items[0]
    used = TokensUsed(item.template_id, item.emotional_arc_key, 20, 20_000, 20_000, 20_000_000)
    done = {"status": JobStatus.COMPLETED, "model": model, "used": (used,)}
    setup.batches.create(build.a_job(planned, owner=owner, **done), planned.items)


def test_an_owners_first_batches_are_quoted_by_a_typical_conversation() -> None:
    quote = Setup().create(BatchRequest(name="x", sets=[ONE] * 100)).quote
    assert quote is not None
    assert (quote.source, quote.conversations) == ("typical", 0)
    assert quote.p50_micro_usd == pytest.approx(3_420_000)
    assert quote.p90_micro_usd > quote.p50_micro_usd


def test_a_batch_is_quoted_by_what_the_owners_batches_used() -> None:
    setup = Setup()
    completed_batch(setup)
    request = BatchRequest(name="x", sets=[ONE] * 100)
    previewed = setup.creator().preview(OWNER, request).quote.cost
    assert setup.create(request).quote == previewed
    assert (previewed.source, previewed.conversations, previewed.batches) == ("own_batches", 20, 1)
    assert previewed.p50_micro_usd == pytest.approx(100 * (1_000 * 2 + 1_000 * 10), rel=0.05)


def test_a_batch_in_the_economy_lane_is_quoted_at_half_the_price_and_keeps_that_quote() -> None:
    setup = Setup()
    completed_batch(setup)
    request = BatchRequest(name="x", sets=[ONE] * 100, lane="economy")
    realtime, economy = setup.creator().preview(OWNER, request).quotes
    assert economy.cost.source == "own_batches"
    assert economy.cost.p50_micro_usd == pytest.approx(realtime.cost.p50_micro_usd / 2, abs=1)
    assert setup.create(request).quote == economy.cost


def test_answers_are_not_reused_in_the_economy_lane() -> None:
    with pytest.raises(InvalidInputError, match="realtime lane only"):
        Setup().create(BatchRequest(name="x", sets=[ONE], lane="economy", reuse=True))


def test_batches_of_another_owner_model_or_kind_tell_nothing() -> None:
    setup = Setup()
    completed_batch(setup, model="claude-opus-5-5")
    completed_batch(setup, owner=STRANGER)
    simulating = replace(setup.creator(), provider="simulator")
    completed_batch(setup)
    request = BatchRequest(name="x", sets=[ONE])
    assert simulating.preview(OWNER, request).quote.cost.source == "typical"
    assert setup.creator().preview(OWNER, request).quote.cost.batches == 1


def test_a_selection_makes_every_combination_personas_outermost() -> None:
    setup = Setup()
    chosen = Selection(
        personas=["overwhelmed_avoider", "anxious_planner"],
        emotional_arcs=["confusion_to_clarity", "fear_to_confidence"],
        training_topics=["roth_ira_conversion"],
    )
    job = setup.create(BatchRequest(name="x", selection=chosen))
    assert [(item.persona_key, item.emotional_arc_key) for item in setup.items(job)] == [
        ("overwhelmed_avoider", "confusion_to_clarity"),
        ("overwhelmed_avoider", "fear_to_confidence"),
        ("anxious_planner", "confusion_to_clarity"),
        ("anxious_planner", "fear_to_confidence"),
    ]


@pytest.mark.parametrize("template", [None, NIL_UUID])
def test_without_a_template_one_is_selected_for_the_arc(template: str | None) -> None:
    setup = Setup()
    request = BatchRequest(
        name="x", sets=[ParameterSet(ONE.persona, ONE.emotional_arc, ONE.training_topic, template)]
    )
    job = setup.create(request)
    assert setup.items(job)[0].template_id == records.template(ONE.emotional_arc).id


def test_the_requested_template_is_used() -> None:
    setup = Setup()
    other = records.template("fear_to_confidence")
    request = BatchRequest(
        name="x", sets=[ParameterSet(ONE.persona, ONE.emotional_arc, ONE.training_topic, other.id)]
    )
    assert setup.items(setup.create(request))[0].template_id == other.id


def test_a_record_that_does_not_exist_is_named_with_near_matches() -> None:
    request = BatchRequest(name="x", sets=[ParameterSet("anxious_planer", *_rest())])
    error = refused(Setup(), request, UnknownScaffoldingError)
    assert "anxious_planner" in error.message


def _rest() -> tuple[str, str]:
    return ONE.emotional_arc, ONE.training_topic


def test_another_owners_record_is_not_found() -> None:
    setup = Setup()
    theirs = records.persona().model_copy(
        update={"id": "11111111-1111-4111-8111-111111111111", "persona_key": "theirs"}
    )
    setup.scaffolding.add(STRANGER, theirs)
    request = BatchRequest(name="x", sets=[ParameterSet("theirs", *_rest())])
    refused(setup, request, UnknownScaffoldingError)


def test_a_deactivated_record_is_refused_by_name() -> None:
    setup = Setup()
    persona = records.persona()
    retired = persona.model_copy(update={"is_active": False, "version": 1})
    setup.scaffolding.replace(OWNER, persona, retired)
    error = refused(setup, REQUEST, InvalidInputError)
    assert "overwhelmed_avoider" in error.message
    assert error.details["kind"] == Persona.kind


def test_all_means_the_active_records() -> None:
    setup = Setup()
    persona = records.persona()
    retired = persona.model_copy(update={"is_active": False, "version": 1})
    setup.scaffolding.replace(OWNER, persona, retired)
    chosen = Selection("all", [ONE.emotional_arc], [ONE.training_topic])
    job = setup.create(BatchRequest(name="x", selection=chosen))
    assert "overwhelmed_avoider" not in {item.persona_key for item in setup.items(job)}
    assert job.total_items == 2


def test_an_unresolved_placeholder_is_named_before_anything_is_stored() -> None:
    setup = Setup()
    broken = records.template(
        ONE.emotional_arc,
        id="22222222-2222-4222-8222-222222222222",
        template_name="Broken",
        template_text="Write about {{nobody_knows_this}}.",
        origin="own",
    )
    setup.scaffolding.add(OWNER, broken)
    request = BatchRequest(
        name="x", sets=[ONE, ParameterSet(ONE.persona, *_rest(), template=broken.id)]
    )
    error = refused(setup, request, UnresolvedPlaceholderError)
    assert error.details == {"template": "Broken", "placeholders": ["nobody_knows_this"]}


def test_a_job_takes_ten_thousand_items() -> None:
    job = Setup().create(BatchRequest(name="x", sets=[ONE] * MAX_ITEMS, concurrent_processing=10))
    assert job.total_items == MAX_ITEMS == 10_000


def test_one_item_more_is_refused_with_the_limit() -> None:
    request = BatchRequest(name="x", sets=[ONE] * (MAX_ITEMS + 1))
    error = refused(Setup(), request, BatchTooLargeError)
    assert error.details == {"items": 10_001, "limit": 10_000}
    assert "10,001" in error.message


def test_a_selection_beyond_the_limit_is_refused_before_it_is_expanded() -> None:
    setup = Setup()
    names = [f"persona-{number}" for number in range(200)]
    request = BatchRequest(name="x", selection=Selection(names, names, names))
    error = refused(setup, request, BatchTooLargeError)
    assert error.details["items"] == 200**3


@pytest.mark.parametrize(
    "empty",
    [BatchRequest(name="x"), BatchRequest(name="x", selection=Selection([], "all", "all"))],
)
def test_a_batch_without_items_is_refused(empty: BatchRequest) -> None:
    refused(Setup(), empty, InvalidInputError)


def test_a_retired_model_is_refused_before_anything_is_stored() -> None:
    setup = Setup(
        clock=SteppedClock(datetime(2027, 1, 1, tzinfo=UTC)), model="claude-sonnet-4-5-20250929"
    )
    refused(setup, REQUEST, UnusableModelError)


def test_the_same_request_with_the_same_key_gives_the_first_job() -> None:
    setup = Setup()
    first = setup.create(key="key-1")
    setup.clock.advance(600)
    assert setup.create(key="key-1") == first
    assert setup.jobs() == (first,)
    assert setup.workflow.started == [first.execution_name]


def test_without_a_key_every_request_makes_a_job() -> None:
    setup = Setup()
    assert setup.create().job_id != setup.create().job_id


def test_the_same_key_of_another_owner_is_another_key() -> None:
    setup = Setup()
    assert setup.create(key="k").job_id != setup.create(key="k", owner=STRANGER).job_id


DIFFERENT = [
    BatchRequest(name="Another", sets=[ONE]),
    BatchRequest(name="A batch", sets=[ONE, ONE]),
    BatchRequest(name="A batch", sets=[ParameterSet("anxious_planner", *_rest())]),
    BatchRequest(name="A batch", sets=[ParameterSet(ONE.persona, *_rest(), tier="edge_case")]),
    BatchRequest(name="A batch", sets=[ONE], concurrent_processing=4),
    BatchRequest(name="A batch", sets=[ONE], calls_per_worker=4),
    BatchRequest(name="A batch", sets=[ONE], error_handling="stop"),
    BatchRequest(name="A batch", sets=[ONE], priority="low"),
    BatchRequest(name="A batch", selection=Selection("all", [ONE.emotional_arc], "all")),
]


@pytest.mark.parametrize("other", DIFFERENT)
def test_the_same_key_with_any_other_request_is_refused(other: BatchRequest) -> None:
    setup = Setup()
    first = setup.create(key="key-1")
    with pytest.raises(IdempotencyKeyReusedError):
        setup.create(other, key="key-1")
    assert setup.jobs() == (first,)


def test_different_requests_have_different_fingerprints() -> None:
    assert len({request.fingerprint() for request in [REQUEST, *DIFFERENT]}) == len(DIFFERENT) + 1


def dying_at(setup: Setup, part: Any, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*_: Any, **__: Any) -> None:
        raise StorageError(method, "it died")

    with monkeypatch.context() as patched:
        patched.setattr(part, method, dies)
        with pytest.raises(StorageError):
            setup.create(key="key-1")


PARTS: dict[str, Callable[[Setup], Any]] = {
    "put": lambda setup: setup.plans,
    "create": lambda setup: setup.batches,
    "ensure_running": lambda setup: setup.workflow,
}


@pytest.mark.parametrize("method", PARTS)
def test_a_request_that_died_anywhere_is_completed_by_its_repetition(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = Setup()
    dying_at(setup, PARTS[method](setup), method, monkeypatch)
    setup.clock.advance(MAX_REQUEST_S)
    job = setup.create(key="key-1")
    assert setup.jobs() == (job,)
    assert setup.workflow.started == [job.execution_name]
    assert len(setup.items(job)) == 1


def test_items_stored_by_a_dead_request_are_not_part_of_the_repetitions_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    setup = Setup()
    dying_at(setup, setup.batches, "create", monkeypatch)
    (plan_left_behind,) = setup.plans.objects
    setup.clock.advance(MAX_REQUEST_S)
    job = setup.create(key="key-1")
    assert job.plan_key != plan_left_behind
    assert setup.create(key="key-1") == job


def test_a_repetition_is_refused_while_the_first_request_may_still_store_items(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    setup = Setup()
    dying_at(setup, setup.batches, "create", monkeypatch)
    setup.clock.advance(MAX_REQUEST_S - 1)
    with pytest.raises(RequestInProgressError):
        setup.create(key="key-1")
    assert setup.jobs() == ()


def test_a_refused_request_leaves_nothing_that_a_workflow_could_run() -> None:
    setup = Setup()
    bad = BatchRequest(name="x", sets=[ONE, ParameterSet("unknown", *_rest())])
    for key in itertools.chain([None], ("key-1", "key-2")):
        with pytest.raises(UnknownScaffoldingError):
            setup.create(bad, key)
    assert setup.nothing_was_stored()


def test_the_plan_is_plain_json_that_contains_every_record_once() -> None:
    setup = Setup()
    job = setup.create(BatchRequest(name="x", sets=[ONE] * 50))
    plan = json.loads(setup.plans.objects[job.plan_key].text)
    sizes = {name: len(plan[name]) for name in ("personas", "emotional_arcs", "templates")}
    assert sizes == {"personas": 1, "emotional_arcs": 1, "templates": 1}
    assert PromptTemplate.model_validate(next(iter(plan["templates"].values()))).is_active


ECONOMY = BatchRequest(name="A batch", sets=[ONE], lane="economy", calls_in_flight=50)


def test_the_economy_lane_costs_half_and_has_one_worker() -> None:
    creator = Setup().creator()
    many = [ONE] * 100
    realtime = creator.create(OWNER, replace(REQUEST, sets=many), None)
    economy = creator.create(OWNER, replace(ECONOMY, sets=many), None)
    assert economy.estimated_cost == pytest.approx(realtime.estimated_cost / 2, abs=0.01)
    assert (economy.job.lane, economy.job.concurrent_processing) == ("economy", 1)
    assert economy.estimated_time == 3600


def test_a_preview_quotes_both_lanes_and_answers_for_the_requested_one() -> None:
    preview = Setup().creator().preview(OWNER, ECONOMY)
    assert [quote.lane for quote in preview.quotes] == ["realtime", "economy"]
    assert preview.quote is preview.quotes[1]
    assert preview.quotes[0].seconds.p50 == 55


def test_a_provider_without_message_batches_refuses_the_lane_with_the_reason() -> None:
    setup = Setup()
    creator = replace(setup.creator(), provider="bedrock")
    with pytest.raises(InvalidInputError) as refused:
        creator.create(OWNER, ECONOMY, None)
    assert "Bedrock has no Message Batches" in str(refused.value.details)
    quotes = creator.preview(OWNER, ECONOMY).quotes
    assert [quote.unavailable is None for quote in quotes] == [True, False]
    assert creator.create(OWNER, REQUEST, None).job.lane == "realtime"


def test_the_cap_of_an_economy_job_reserves_half() -> None:
    creator = Setup().creator()
    realtime = creator.create(OWNER, replace(REQUEST, max_cost_usd=5.0), None).job
    economy = creator.create(OWNER, replace(ECONOMY, max_cost_usd=5.0), None).job
    assert economy.item_bound_micro_usd == -(-realtime.item_bound_micro_usd // 2)


def in_hours(hours: float) -> datetime:
    return SteppedClock().now + timedelta(hours=hours)


def test_an_order_with_a_deadline_is_written_as_the_plan_says() -> None:
    setup = Setup()
    sets = [ONE] * 100
    at_once = setup.create(BatchRequest(name="x", sets=sets, done_by=in_hours(1)))
    first_economy = setup.create(BatchRequest(name="x", sets=sets, done_by=in_hours(6)))
    only_economy = setup.create(BatchRequest(name="x", sets=sets, done_by=in_hours(72)))
    told = [(job.lane, job.switch_at) for job in (at_once, first_economy, only_economy)]
    assert told == [
        ("realtime", None),
        ("economy", "2026-11-21T17:42:23.750Z"),
        ("economy", None),
    ]
    assert first_economy.done_by == "2026-11-21T18:00:00.000Z"


def test_an_order_that_may_change_lanes_has_the_workers_of_the_realtime_lane() -> None:
    setup = Setup()
    order = BatchRequest(name="x", sets=[ONE] * 100, calls_in_flight=60, done_by=in_hours(6))
    job = setup.create(order)
    assert (job.concurrent_processing, job.most_calls_in_flight) == (3, 60)
    alone = setup.create(replace(order, done_by=in_hours(72)))
    assert (alone.concurrent_processing, alone.most_calls_in_flight) == (1, 1)


def test_an_order_that_may_change_lanes_is_quoted_between_both() -> None:
    setup = Setup()
    order = BatchRequest(name="x", sets=[ONE] * 100, done_by=in_hours(6))
    preview = setup.creator().preview(OWNER, order)
    realtime, economy = preview.quotes
    assert preview.lane == "economy"
    assert preview.quote.cost.p50_micro_usd == economy.cost.p50_micro_usd
    assert preview.quote.cost.p90_micro_usd == realtime.cost.p90_micro_usd
    assert preview.quote.seconds.p50 == 3600
    assert 4 * 3600 < preview.quote.seconds.p90 < 6 * 3600
    assert setup.create(order).quote == preview.quote.cost


def test_what_an_order_with_a_deadline_reserves_is_at_the_realtime_price() -> None:
    setup = Setup()
    order = BatchRequest(name="x", sets=[ONE] * 10, max_cost_usd=5)
    mixed = setup.create(replace(order, done_by=in_hours(6)))
    assert mixed.switch_at is not None
    assert mixed.item_bound_micro_usd == setup.create(order).item_bound_micro_usd


def test_without_message_batches_an_order_with_a_deadline_is_realtime() -> None:
    creator = replace(Setup().creator(), provider="bedrock")
    order = BatchRequest(name="x", sets=[ONE], done_by=in_hours(72))
    created = creator.create(OWNER, order, None)
    assert created.job.lane == "realtime"
    assert created.deadline is not None and "no economy lane" in created.deadline.reason


def test_a_deadline_that_is_past_is_refused_and_a_repetition_of_an_order_is_not() -> None:
    setup = Setup()
    refused(setup, BatchRequest(name="x", sets=[ONE], done_by=in_hours(-1)), InvalidInputError)
    order = BatchRequest(name="x", sets=[ONE], done_by=in_hours(2))
    job = setup.create(order, key="k")
    setup.clock.advance(3 * 3600)
    assert setup.create(order, key="k").job_id == job.job_id


def test_answers_are_not_reused_where_the_lane_follows_from_a_deadline() -> None:
    with pytest.raises(InvalidInputError, match="without doneBy"):
        Setup().create(BatchRequest(name="x", sets=[ONE], done_by=in_hours(2), reuse=True))
