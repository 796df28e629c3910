"""Two processes about one job, the second at every single call of the first.

The first process is stopped before each of its calls to AWS in turn, the second does all of its
work in that gap, then the first goes on. Whatever comes of it, the workflow brings the job to its
end with every item concluded once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from brightrun.batches.model import ENDED_JOBS, ItemStatus, JobStatus
from brightrun.core.errors import (
    ActionNotAllowedError,
    ClaimsClosedError,
    ConflictError,
    StorageError,
)
from tests.stateful.observed import check_moment, observe
from tests.stateful.plant import (
    GOOD,
    NOT_JSON,
    PERSONAS,
    Answer,
    Clients,
    Plant,
    new_clients,
    plants,
)

pytestmark = pytest.mark.slow

Action = Callable[[Plant], object]
GOOD_ONE, BAD_ONE, _ = PERSONAS
SCRIPT: dict[str, list[Answer]] = {GOOD_ONE: [GOOD], BAD_ONE: [NOT_JSON, GOOD]}
MOST_CALLS = 60
MOST_ROUNDS = 12


def create_and_work(plant: Plant) -> None:
    """The same request again, and a worker that comes at once."""
    plant.create()
    plant.turn()


ACTIONS: dict[str, Action] = {
    "create": lambda plant: plant.create(),
    "create_and_work": create_and_work,
    "turn": lambda plant: plant.turn(),
    "finish": lambda plant: plant.finish(),
    "pause": lambda plant: plant.controls.pause(plant.owner, plant.job_id),
    "resume": lambda plant: plant.controls.resume(plant.owner, plant.job_id),
    "cancel": lambda plant: plant.controls.cancel(plant.owner, plant.job_id),
    "retry": lambda plant: plant.controls.retry_failed(plant.owner, plant.job_id),
}
OTHERS = ("turn", "finish", "pause", "resume", "cancel", "retry")
REFUSALS = (ActionNotAllowedError, ConflictError, StorageError)
"""What a process may be told when another was quicker."""


def nothing(_: Plant) -> None:
    """The request to make the job has yet to come."""


def fresh(plant: Plant) -> None:
    """The job is there; no worker has come."""
    plant.create()


def worked_through(plant: Plant) -> None:
    """A success and a failure; nothing is open, and the round has yet to be ended."""
    plant.create()
    plant.turn()


def paused(plant: Plant) -> None:
    """Nothing was done yet, and nothing may be."""
    plant.create()
    plant.controls.pause(plant.owner, plant.job_id)


CELLS = [
    (nothing, "create", "create_and_work"),
    *((fresh, "turn", other) for other in ("turn", "finish", "pause", "cancel")),
    *((fresh, "cancel", other) for other in OTHERS),
    *((worked_through, "finish", other) for other in OTHERS),
    *((worked_through, "retry", other) for other in OTHERS),
    *((worked_through, "cancel", other) for other in ("finish", "retry")),
    *((paused, "resume", other) for other in ("turn", "finish", "cancel", "resume")),
    *((paused, "cancel", other) for other in ("resume", "finish")),
]


class Gap:
    """Lets somebody else act right before one call of a plant; `calls` counts them."""

    def __init__(self, plant: Plant, position: int, act: Callable[[], object]) -> None:
        self.calls = 0
        self._position = position
        self._act = act
        self._events = [client.meta.events for client in plant.clients.values()]

    def __enter__(self) -> Gap:
        for events in self._events:
            events.register("before-call", self._before)
        return self

    def __exit__(self, *_: object) -> None:
        for events in self._events:
            events.unregister("before-call", self._before)

    def _before(self, **_: Any) -> None:
        self.calls += 1
        if self.calls == self._position:
            with ThreadPoolExecutor(1) as elsewhere:
                elsewhere.submit(self._act).result()


def attempt(action: Action, plant: Plant) -> None:
    with suppress(*REFUSALS):
        action(plant)


def bring_to_an_end(plant: Plant) -> None:
    """Go on as the state machine would, until the job is settled."""
    if plant.job().status is JobStatus.PAUSED:
        plant.controls.resume(plant.owner, plant.job_id)
    for _ in range(MOST_ROUNDS):
        attempt(ACTIONS["turn"], plant)
        result = plant.finish(plant.job().run)
        if result.status == "finished":
            return
        plant.clock.advance(result.wait_seconds)
    raise AssertionError("the job did not come to its end")


def check_end(plant: Plant) -> None:
    """All is settled, counted, logged and paid for once."""
    store = plant.store()
    seen = observe(store, plant.owner, plant.job_id)
    check_moment(seen)
    assert seen.job.status in ENDED_JOBS
    assert seen.job.open_items == 0
    assert store.conversations(plant.owner) == {
        item.conversation_id: item.item_id
        for item in seen.items
        if item.status is ItemStatus.COMPLETED
    }
    conclusions = Counter(line.partition("...")[0] for line in seen.log if line[0] in "✓✗")
    for item in seen.items:
        lines = sum(conclusions[f"{mark} Item {item.item_id[:8]}"] for mark in "✓✗")
        cancelled = item.status is ItemStatus.CANCELLED
        assert lines <= item.generation
        assert lines == item.generation or cancelled or item.generation > 1
        assert conclusions[f"✓ Item {item.item_id[:8]}"] == (item.status is ItemStatus.COMPLETED)
    generations = sum(item.generation for item in seen.items)
    assert plant.claude.paid.total() <= generations
    closings = [line for line in seen.log if re.match("Batch job complete", line)]
    assert bool(closings) is (seen.job.status is not JobStatus.CANCELLED)


def run_cell(
    plant: Plant, clients: Clients, start: Action, first: str, second: str, position: int
) -> bool:
    """Run one cell; gives whether the first process made as many calls."""
    start(plant)
    other = plant.another(clients)

    def act() -> None:
        other.job_id = plant.job_id
        attempt(ACTIONS[second], other)

    with Gap(plant, position, act) as gap:
        attempt(ACTIONS[first], plant)
    plant.job_id = plant.job_id or other.job_id
    bring_to_an_end(plant)
    check_end(plant)
    return gap.calls >= position


@pytest.mark.parametrize(
    ("start", "first", "second"),
    CELLS,
    ids=[f"{start.__name__}-{first}-{second}" for start, first, second in CELLS],
)
def test_no_gap_lets_another_process_lose_or_double_an_item(
    start: Action, first: str, second: str
) -> None:
    with plants() as new_plant:
        clients = new_clients()
        position = 1
        while run_cell(new_plant(SCRIPT), clients, start, first, second, position):
            position += 1
            assert position < MOST_CALLS
    assert position > 1


@pytest.mark.parametrize("position", range(1, 7))
def test_a_job_is_not_closed_over_items_that_are_put_back_at_that_moment(position: int) -> None:
    with plants() as new_plant:
        plant = new_plant(SCRIPT)
        worked_through(plant)
        other = plant.another(new_clients())
        failed = [item for item in plant.items() if item.status is ItemStatus.FAILED]

        def requeue() -> None:
            with suppress(ClaimsClosedError):
                other.store().claims.requeue(failed, plant.clock.now)

        with Gap(plant, position, requeue) as gap:
            attempt(ACTIONS["finish"], plant)
        assert gap.calls >= position
        bring_to_an_end(plant)
        check_end(plant)
