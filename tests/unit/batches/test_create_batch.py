"""Creating a batch: everything is checked before anything is stored, and nothing is made twice."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from brightrun.batches.create_batch import (
    LONGEST_REQUEST_S,
    BatchCreator,
    BatchRequest,
    ParameterSet,
    Selection,
)
from brightrun.batches.model import MAX_ITEMS, BatchItem, BatchJob, JobStatus
from brightrun.batches.plan import BatchPlan
from brightrun.core.errors import (
    BatchTooLargeError,
    BrightRunError,
    IdempotencyKeyReusedError,
    InvalidInputError,
    StorageError,
    UnknownScaffoldingError,
    UnresolvedPlaceholderError,
    UnusableModelError,
)
from brightrun.core.ids import NIL_UUID
from brightrun.scaffolding.model import Persona, PromptTemplate
from tests.builders import OWNER, STRANGER, SteppedClock
from tests.fakes import scaffolding as records
from tests.fakes.batches import InMemoryBatches
from tests.fakes.outside import InMemoryKeys, InMemoryObjects, RecordedWorkflow
from tests.fakes.scaffolding import InMemoryScaffolding

ONE = ParameterSet("overwhelmed_avoider", "confusion_to_clarity", "roth_ira_conversion")
ORDER = BatchRequest(name="A batch", sets=[ONE])


@dataclass
class Counter:
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
            batches=self.batches,
            plans=self.plans,
            keys=self.keys,
            workflow=self.workflow,
            clock=self.clock,
            model=self.model,
        )

    def create(
        self, order: BatchRequest = ORDER, key: str | None = None, owner: str = OWNER
    ) -> BatchJob:
        return self.creator().create(owner, order, key).job

    def jobs(self, owner: str = OWNER) -> tuple[BatchJob, ...]:
        return self.batches.jobs(owner, status=None, limit=100, cursor=None).records

    def items(self, job: BatchJob) -> tuple[BatchItem, ...]:
        page = self.batches.items(
            job.owner_id, job.job_id, status=None, limit=MAX_ITEMS, cursor=None
        )
        return page.records

    def nothing_was_stored(self) -> bool:
        return not (self.jobs() or self.plans.objects or self.workflow.started)


def refused(counter: Counter, order: BatchRequest, error: type[BrightRunError]) -> BrightRunError:
    with pytest.raises(error) as caught:
        counter.create(order)
    assert counter.nothing_was_stored()
    return caught.value


def test_a_new_job_is_queued_with_all_its_items_and_its_workflow_is_started() -> None:
    counter = Counter()
    job = counter.create(BatchRequest(name="Mine", sets=[ONE] * 3))
    assert (job.status, job.name, job.total_items) == (JobStatus.QUEUED, "Mine", 3)
    assert job.queued_items == 3
    assert counter.jobs() == (job,)
    assert [item.position for item in counter.items(job)] == [1, 2, 3]
    assert counter.workflow.started == [f"{job.job_id}-1"]


def test_the_plan_keeps_the_scaffolding_as_it_was() -> None:
    counter = Counter()
    job = counter.create()
    before = counter.plans.objects[job.plan_key].text
    persona = records.persona()
    edited = persona.model_copy(update={"name": "Another Name", "version": 1})
    counter.scaffolding.replace(OWNER, persona, edited)
    assert counter.plans.objects[job.plan_key].text == before
    plan = BatchPlan.model_validate_json(before)
    assert plan.prompt(counter.items(job)[0]).user
    assert "Another Name" not in before


def test_what_the_caller_chose_is_on_the_job() -> None:
    order = BatchRequest(
        name="x",
        sets=[ONE] * 40,
        concurrent_processing=7,
        error_handling="stop",
        priority="high",
    )
    job = Counter().create(order)
    assert (job.concurrent_processing, job.calls_per_worker) == (7, 6)
    assert (job.error_handling, job.priority, job.model) == ("stop", "high", "claude-sonnet-5-5")


def test_there_are_no_more_workers_than_items() -> None:
    job = Counter().create(BatchRequest(name="x", sets=[ONE] * 2, concurrent_processing=10))
    assert (job.concurrent_processing, job.calls_per_worker) == (2, 1)


def test_the_caller_may_bound_the_calls_that_a_worker_keeps_in_flight() -> None:
    sets = [ONE] * 200
    bounded = BatchRequest(name="x", sets=sets, concurrent_processing=2, calls_per_worker=10)
    free = BatchRequest(name="x", sets=sets, concurrent_processing=2)
    assert Counter().create(bounded).calls_per_worker == 10
    assert Counter().create(free).calls_per_worker == 25


def test_the_estimate_grows_with_the_items() -> None:
    counter = Counter()
    small = counter.creator().create(OWNER, ORDER, None)
    large = counter.creator().create(OWNER, BatchRequest(name="x", sets=[ONE] * 100), None)
    assert 0 < small.estimated_cost < large.estimated_cost
    assert 0 < small.estimated_time <= large.estimated_time


def test_a_selection_makes_every_combination_personas_outermost() -> None:
    counter = Counter()
    chosen = Selection(
        personas=["overwhelmed_avoider", "anxious_planner"],
        emotional_arcs=["confusion_to_clarity", "fear_to_confidence"],
        training_topics=["roth_ira_conversion"],
    )
    job = counter.create(BatchRequest(name="x", selection=chosen))
    assert [(item.persona_key, item.emotional_arc_key) for item in counter.items(job)] == [
        ("overwhelmed_avoider", "confusion_to_clarity"),
        ("overwhelmed_avoider", "fear_to_confidence"),
        ("anxious_planner", "confusion_to_clarity"),
        ("anxious_planner", "fear_to_confidence"),
    ]


@pytest.mark.parametrize("template", [None, NIL_UUID])
def test_without_a_template_one_is_selected_for_the_arc(template: str | None) -> None:
    counter = Counter()
    order = BatchRequest(
        name="x", sets=[ParameterSet(ONE.persona, ONE.emotional_arc, ONE.training_topic, template)]
    )
    job = counter.create(order)
    assert counter.items(job)[0].template_id == records.template(ONE.emotional_arc).id


def test_the_template_asked_for_is_taken() -> None:
    counter = Counter()
    other = records.template("fear_to_confidence")
    order = BatchRequest(
        name="x", sets=[ParameterSet(ONE.persona, ONE.emotional_arc, ONE.training_topic, other.id)]
    )
    assert counter.items(counter.create(order))[0].template_id == other.id


def test_a_record_that_does_not_exist_is_named_with_near_matches() -> None:
    order = BatchRequest(name="x", sets=[ParameterSet("anxious_planer", *_rest())])
    error = refused(Counter(), order, UnknownScaffoldingError)
    assert "anxious_planner" in error.message


def _rest() -> tuple[str, str]:
    return ONE.emotional_arc, ONE.training_topic


def test_another_owners_record_is_not_there() -> None:
    counter = Counter()
    theirs = records.persona().model_copy(
        update={"id": "11111111-1111-4111-8111-111111111111", "persona_key": "theirs"}
    )
    counter.scaffolding.add(STRANGER, theirs)
    order = BatchRequest(name="x", sets=[ParameterSet("theirs", *_rest())])
    refused(counter, order, UnknownScaffoldingError)


def test_a_deactivated_record_is_refused_by_name() -> None:
    counter = Counter()
    persona = records.persona()
    retired = persona.model_copy(update={"is_active": False, "version": 1})
    counter.scaffolding.replace(OWNER, persona, retired)
    error = refused(counter, ORDER, InvalidInputError)
    assert "overwhelmed_avoider" in error.message
    assert error.details["kind"] == Persona.kind


def test_all_means_the_active_records() -> None:
    counter = Counter()
    persona = records.persona()
    retired = persona.model_copy(update={"is_active": False, "version": 1})
    counter.scaffolding.replace(OWNER, persona, retired)
    chosen = Selection("all", [ONE.emotional_arc], [ONE.training_topic])
    job = counter.create(BatchRequest(name="x", selection=chosen))
    assert "overwhelmed_avoider" not in {item.persona_key for item in counter.items(job)}
    assert job.total_items == 2


def test_a_placeholder_that_nobody_fills_is_named_before_anything_is_stored() -> None:
    counter = Counter()
    broken = records.template(
        ONE.emotional_arc,
        id="22222222-2222-4222-8222-222222222222",
        template_name="Broken",
        template_text="Write about {{nobody_knows_this}}.",
        origin="own",
    )
    counter.scaffolding.add(OWNER, broken)
    order = BatchRequest(
        name="x", sets=[ONE, ParameterSet(ONE.persona, *_rest(), template=broken.id)]
    )
    error = refused(counter, order, UnresolvedPlaceholderError)
    assert error.details == {"template": "Broken", "placeholders": ["nobody_knows_this"]}


def test_a_job_takes_ten_thousand_items() -> None:
    job = Counter().create(BatchRequest(name="x", sets=[ONE] * MAX_ITEMS, concurrent_processing=10))
    assert job.total_items == MAX_ITEMS == 10_000


def test_one_item_more_is_refused_with_the_limit() -> None:
    order = BatchRequest(name="x", sets=[ONE] * (MAX_ITEMS + 1))
    error = refused(Counter(), order, BatchTooLargeError)
    assert error.details == {"items": 10_001, "limit": 10_000}
    assert "10,001" in error.message


def test_a_selection_that_multiplies_beyond_the_limit_is_refused_before_it_is_made() -> None:
    counter = Counter()
    names = [f"persona-{number}" for number in range(200)]
    order = BatchRequest(name="x", selection=Selection(names, names, names))
    error = refused(counter, order, BatchTooLargeError)
    assert error.details["items"] == 200**3


@pytest.mark.parametrize(
    "order", [BatchRequest(name="x"), BatchRequest(name="x", selection=Selection([], "all", "all"))]
)
def test_a_batch_of_nothing_is_refused(order: BatchRequest) -> None:
    refused(Counter(), order, InvalidInputError)


def test_a_retired_model_is_refused_before_anything_is_stored() -> None:
    counter = Counter(
        clock=SteppedClock(datetime(2027, 1, 1, tzinfo=UTC)), model="claude-sonnet-4-5-20250929"
    )
    refused(counter, ORDER, UnusableModelError)


def test_the_same_request_with_the_same_key_gives_the_first_job() -> None:
    counter = Counter()
    first = counter.create(key="key-1")
    counter.clock.advance(600)
    assert counter.create(key="key-1") == first
    assert counter.jobs() == (first,)
    assert counter.workflow.started == [first.execution_name]


def test_without_a_key_every_request_makes_a_job() -> None:
    counter = Counter()
    assert counter.create().job_id != counter.create().job_id


def test_a_key_is_its_owners_own() -> None:
    counter = Counter()
    assert counter.create(key="k").job_id != counter.create(key="k", owner=STRANGER).job_id


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


@pytest.mark.parametrize("order", DIFFERENT)
def test_the_same_key_with_any_other_request_is_refused(order: BatchRequest) -> None:
    counter = Counter()
    first = counter.create(key="key-1")
    with pytest.raises(IdempotencyKeyReusedError):
        counter.create(order, key="key-1")
    assert counter.jobs() == (first,)


def test_fingerprints_tell_all_orders_apart() -> None:
    assert len({order.fingerprint() for order in [ORDER, *DIFFERENT]}) == len(DIFFERENT) + 1


def dying_at(counter: Counter, part: Any, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*_: Any, **__: Any) -> None:
        raise StorageError(method, "it died")

    with monkeypatch.context() as patched:
        patched.setattr(part, method, dies)
        with pytest.raises(StorageError):
            counter.create(key="key-1")


PARTS: dict[str, Callable[[Counter], Any]] = {
    "put": lambda counter: counter.plans,
    "create": lambda counter: counter.batches,
    "ensure_running": lambda counter: counter.workflow,
}


@pytest.mark.parametrize("method", PARTS)
def test_a_request_that_died_anywhere_is_finished_by_its_repetition(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = Counter()
    dying_at(counter, PARTS[method](counter), method, monkeypatch)
    counter.clock.advance(LONGEST_REQUEST_S)
    job = counter.create(key="key-1")
    assert counter.jobs() == (job,)
    assert counter.workflow.started == [job.execution_name]
    assert len(counter.items(job)) == 1


def test_what_a_dead_request_stored_under_its_job_id_is_no_part_of_the_repetitions_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counter = Counter()
    dying_at(counter, counter.batches, "create", monkeypatch)
    (plan_left_behind,) = counter.plans.objects
    counter.clock.advance(LONGEST_REQUEST_S)
    job = counter.create(key="key-1")
    assert job.plan_key != plan_left_behind
    assert counter.create(key="key-1") == job


def test_a_repetition_keeps_away_while_the_first_request_may_still_store_items(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counter = Counter()
    dying_at(counter, counter.batches, "create", monkeypatch)
    counter.clock.advance(LONGEST_REQUEST_S - 1)
    with pytest.raises(StorageError, match="still at it"):
        counter.create(key="key-1")
    assert counter.jobs() == ()


def test_a_request_with_a_fault_leaves_nothing_that_a_workflow_could_run() -> None:
    counter = Counter()
    bad = BatchRequest(name="x", sets=[ONE, ParameterSet("nobody", *_rest())])
    for key in itertools.chain([None], ("key-1", "key-2")):
        with pytest.raises(UnknownScaffoldingError):
            counter.create(bad, key)
    assert counter.nothing_was_stored()


def test_the_plan_is_plain_json_that_names_every_record_once() -> None:
    counter = Counter()
    job = counter.create(BatchRequest(name="x", sets=[ONE] * 50))
    plan = json.loads(counter.plans.objects[job.plan_key].text)
    sizes = {name: len(plan[name]) for name in ("personas", "emotional_arcs", "templates")}
    assert sizes == {"personas": 1, "emotional_arcs": 1, "templates": 1}
    assert PromptTemplate.model_validate(next(iter(plan["templates"].values()))).is_active
