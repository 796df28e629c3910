"""The change of lanes with one fault at every call, of every kind: written once, paid once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache, partial
from typing import Any

import pytest

from brightrun.aws.request_keys import MAX_REQUEST_S
from brightrun.batches.model import ENDED_JOBS, BatchJob
from brightrun.claude.model import Completion, Prompt
from brightrun.core.timestamps import from_iso
from tests.stateful.batch_process import PERSONAS, BatchProcess, batch_processes
from tests.stateful.faults import KINDS, Faults, Kind, positions_of
from tests.stateful.test_economy_fault_sweep import EconomyClaude
from tests.stateful.test_fault_sweep import NOT_STORED, check_files

pytestmark = pytest.mark.slow

FEWEST_CELLS = 100
MOST_ROUNDS = 40
WORKERS = len(PERSONAS)
BATCHED, CALLED = 9_500, 19_000
"""What an answer costs in a Message Batch, and by a call of its own."""
ANSWERS = 5
"""A good one, one that is mended, and one that is mended in vain."""
Seen = tuple[str, tuple[int, ...]]


class BothLanesClaude(EconomyClaude):
    """Claude whose Message Batches end when they are cancelled, or late, and who answers calls."""

    def __init__(self, process: BatchProcess) -> None:
        self.called: list[str] = []
        super().__init__(process)
        self.batches.takes_s = timedelta(hours=4).total_seconds()

    @property
    def paid(self) -> list[str]:
        return self.batches.paid + self.called

    async def complete(self, prompt: Prompt, *, schema: dict[str, Any]) -> Completion:
        self.batches.before("Claude.write")
        answer = self._answer(prompt.user)
        assert isinstance(answer, Completion)
        self.called.append("a call")
        self.batches.after("Claude.write")
        return answer


@contextmanager
def deadline_processes(count: int) -> Iterator[list[tuple[BatchProcess, BothLanesClaude]]]:
    with batch_processes() as new_process:
        made = []
        for _ in range(count):
            process = new_process({})
            claude = BothLanesClaude(process)
            object.__setattr__(process.services, "claude", claude)
            made.append((process.another(process.clients), claude))
            made[-1][0].done_in = timedelta(hours=2)
        yield made


def run_to_the_end(process: BatchProcess, faults: Faults) -> None:
    """Send the batch, and go on from the moment at which the lane changes, as the workflow does."""

    def create() -> BatchJob:
        try:
            return process.create()
        except BaseException:
            process.clock.advance(MAX_REQUEST_S)
            raise

    job = faults.until_it_works(create)
    faults.until_it_works(process.turn)
    switch_at = from_iso(str(job.switch_at))
    process.clock.advance((switch_at - process.clock()).total_seconds())
    for _ in range(MOST_ROUNDS):
        for worker in range(WORKERS):
            work(process, faults, worker)
        result = faults.until_it_works(process.finish)
        if result.status == "finished":
            return
        process.clock.advance(result.wait_seconds)
    raise AssertionError("the job did not come to its end")


def work(process: BatchProcess, faults: Faults, worker: int) -> None:
    """Take a worker's turns of one round."""
    while True:
        turn = faults.until_it_works(partial(process.turn, worker))
        if turn.status not in {"wait", "continue"}:
            return
        process.clock.advance(turn.wait_seconds)


def seen_of(process: BatchProcess) -> Seen:
    """What people see in the end; how much of it was at half the price depends on the fault."""
    job = process.job()
    counters = (job.open_items, job.successful_items, job.failed_items, job.cancelled_items)
    return job.status.value, counters


@cache
def clean_run() -> tuple[tuple[str, ...], Seen]:
    """The calls and the end without a fault."""
    with (
        deadline_processes(1) as [(process, claude)],
        Faults(process, "refused", None) as faults,
    ):
        run_to_the_end(process, faults)
        assert (len(claude.batches.paid), len(claude.called)) == (2, 3)
        assert process.job().cost_micro_usd == 2 * BATCHED + 3 * CALLED
        return tuple(faults.calls), seen_of(process)


def check_cell(process: BatchProcess, claude: BothLanesClaude, kind: Kind, position: int) -> bool:
    _, clean = clean_run()
    with Faults(process, kind, position) as faults:
        run_to_the_end(process, faults)
    where = f"{kind} at call {position}, {faults.struck}"
    assert process.job().status in ENDED_JOBS, where
    assert seen_of(process) == clean, where
    check_files(process)
    assert max(Counter(claude.batches.paid).values(), default=1) == 1, where
    lost = len(claude.paid) - ANSWERS
    assert 0 <= lost <= max(faults.unstored, (faults.struck, kind) in NOT_STORED), where
    kept = len(claude.called) - lost
    assert process.job().cost_micro_usd == BATCHED * len(claude.batches.paid) + CALLED * kept, where
    assert sum(item.cost_micro_usd for item in process.items()) == process.job().cost_micro_usd
    return bool(faults.struck)


def test_the_run_without_a_fault_writes_in_both_lanes() -> None:
    calls, clean = clean_run()
    assert clean == ("completed", (0, 2, 1, 0))
    assert {"Batches.create", "Batches.cancel", "Batches.results", "Claude.write"} <= set(calls)
    assert len(calls) * len(KINDS) >= FEWEST_CELLS


def test_a_fault_at_any_call_is_paid_once_and_changes_nothing_in_the_end(
    kind: Kind, tenth: int, record_property: Callable[[str, object], None]
) -> None:
    positions = positions_of(kind, tenth, len(clean_run()[0]))
    with deadline_processes(len(positions)) as made:
        struck = [
            check_cell(process, claude, kind, position)
            for (process, claude), position in zip(made, positions, strict=True)
        ]
    assert sum(struck) >= len(positions) - 1
    record_property("samples", sum(struck))
