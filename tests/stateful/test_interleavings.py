"""Two processes about one job, the second at every single call of the first.

The first process is stopped before each of its calls to AWS in turn, the second does all of its
work in that gap, then the first goes on. Whatever comes of it, the workflow brings the job to its
end with every item completed once. `make test` tries every third call, full effort all.
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
from tests.effort import effort
from tests.stateful.batch_process import (
    GOOD,
    NOT_JSON,
    PERSONAS,
    Answer,
    BatchProcess,
    Clients,
    batch_processes,
    new_clients,
)
from tests.stateful.observed import check_moment, observe

pytestmark = pytest.mark.slow

Action = Callable[[BatchProcess], object]
GOOD_ONE, BAD_ONE, _ = PERSONAS
SCRIPT: dict[str, list[Answer]] = {GOOD_ONE: [GOOD], BAD_ONE: [NOT_JSON, NOT_JSON, GOOD]}
MOST_CALLS = 60
MOST_ROUNDS = 12


def create_and_work(process: BatchProcess) -> None:
    """The same request again, and a worker that comes at once."""
    process.create()
    process.turn()


ACTIONS: dict[str, Action] = {
    "create": lambda process: process.create(),
    "create_and_work": create_and_work,
    "turn": lambda process: process.turn(),
    "finish": lambda process: process.finish(),
    "pause": lambda process: process.controls.pause(process.owner, process.job_id),
    "resume": lambda process: process.controls.resume(process.owner, process.job_id),
    "cancel": lambda process: process.controls.cancel(process.owner, process.job_id),
    "retry": lambda process: process.controls.retry_failed(process.owner, process.job_id),
}
OTHERS = ("turn", "finish", "pause", "resume", "cancel", "retry")
REFUSALS = (ActionNotAllowedError, ConflictError, StorageError)
"""The errors that a process may get when another was faster."""


def nothing(_: BatchProcess) -> None:
    """The request to make the job has yet to come."""


def fresh(process: BatchProcess) -> None:
    """The job is there; no worker has come."""
    process.create()


def worked_through(process: BatchProcess) -> None:
    """A success and a failure; nothing is open, and the round has yet to be ended."""
    process.create()
    process.turn()


def paused(process: BatchProcess) -> None:
    """Nothing was done yet, and nothing may be."""
    process.create()
    process.controls.pause(process.owner, process.job_id)


CELLS: list[tuple[Action, str, str]] = [
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
    """Lets another process act right before one call of a process; `calls` counts them."""

    def __init__(self, process: BatchProcess, position: int, act: Callable[[], object]) -> None:
        self.calls = 0
        self._position = position
        self._act = act
        self._events = [client.meta.events for client in process.clients.values()]

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


def attempt(action: Action, process: BatchProcess) -> None:
    with suppress(*REFUSALS):
        action(process)


def bring_to_an_end(process: BatchProcess) -> None:
    """Go on as the state machine would, until the job is settled."""
    if process.job().status is JobStatus.PAUSED:
        process.controls.resume(process.owner, process.job_id)
    for _ in range(MOST_ROUNDS):
        attempt(ACTIONS["turn"], process)
        result = process.finish(process.job().run)
        if result.status == "finished":
            return
        process.clock.advance(result.wait_seconds)
    raise AssertionError("the job did not come to its end")


def check_end(process: BatchProcess) -> None:
    """All is settled, counted, logged and paid for once."""
    store = process.store()
    seen = observe(store, process.owner, process.job_id)
    check_moment(seen)
    assert seen.job.status in ENDED_JOBS
    assert seen.job.open_items == 0
    assert store.conversations(process.owner) == {
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
    mended = process.claude.script.keys() & {BAD_ONE}
    assert process.claude.paid.total() <= generations + len(mended)
    closings = [line for line in seen.log if re.match("Batch job complete", line)]
    assert bool(closings) is (seen.job.status is not JobStatus.CANCELLED)


def run_cell(
    process: BatchProcess, clients: Clients, start: Action, first: str, second: str, position: int
) -> bool:
    """Run one cell; gives whether the first process made as many calls."""
    start(process)
    other = process.another(clients)

    def act() -> None:
        other.job_id = process.job_id
        attempt(ACTIONS[second], other)

    with Gap(process, position, act) as gap:
        attempt(ACTIONS[first], process)
    process.job_id = process.job_id or other.job_id
    bring_to_an_end(process)
    check_end(process)
    return gap.calls >= position


@pytest.mark.parametrize(
    ("start", "first", "second"),
    CELLS,
    ids=[f"{start.__name__}-{first}-{second}" for start, first, second in CELLS],
)
def test_no_gap_lets_another_process_lose_or_double_an_item(
    start: Action, first: str, second: str, record_property: Callable[[str, object], None]
) -> None:
    step = effort(3, 1)
    positions = range(1 + CELLS.index((start, first, second)) % step, MOST_CALLS, step)
    with batch_processes() as new_process:
        clients = new_clients()
        ended = next(
            number
            for number, position in enumerate(positions)
            if not run_cell(new_process(SCRIPT), clients, start, first, second, position)
        )
    assert ended
    record_property("samples", ended + 1)


@pytest.mark.parametrize("position", range(1, 7))
def test_a_job_is_not_closed_over_items_that_are_put_back_at_that_moment(position: int) -> None:
    with batch_processes() as new_process:
        process = new_process(SCRIPT)
        worked_through(process)
        other = process.another(new_clients())
        failed = [item for item in process.items() if item.status is ItemStatus.FAILED]

        def requeue() -> None:
            with suppress(ClaimsClosedError):
                other.store().claims.requeue(failed, process.clock.now)

        with Gap(process, position, requeue) as gap:
            attempt(ACTIONS["finish"], process)
        assert gap.calls >= position
        bring_to_an_end(process)
        check_end(process)
