"""The economy lane with one fault at every call, of every kind: the same end, and paid once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import pytest

from brightrun.aws.request_keys import MAX_REQUEST_S
from brightrun.batches.model import ENDED_JOBS
from tests import builders as build
from tests.fakes.message_batches import Answer, BatchedClaude, InMemoryMessageBatches
from tests.stateful.batch_process import GOOD, NOT_JSON, PERSONAS, BatchProcess, batch_processes
from tests.stateful.faults import KINDS, Faults, Kind, positions_of
from tests.stateful.test_fault_sweep import Ending, check_files, ending_of

pytestmark = pytest.mark.slow

FEWEST_CELLS = 100
MOST_TURNS = 150
GOOD_ONE, MENDED_ONE, BAD_ONE = PERSONAS


class EconomyClaude(BatchedClaude):
    """Claude in Message Batches: one persona's first answer is broken, and all of another's."""

    def __init__(self, process: BatchProcess) -> None:
        self.batches = InMemoryMessageBatches(self._answer, process.clock, takes_s=60)
        self.script = {name: [GOOD] for name in PERSONAS}
        super().__init__(self.batches)

    @property
    def paid(self) -> list[str]:
        return self.batches.paid

    def _answer(self, user: str) -> Answer:
        name = next(key for key, name in PERSONAS.items() if name in user)
        is_repair = "could not be used" in user
        broken = name == BAD_ONE or (name == MENDED_ONE and not is_repair)
        return build.a_completion(NOT_JSON if broken else GOOD)

    def __setattr__(self, name: str, value: object) -> None:
        if name in {"before", "after"}:
            setattr(self.batches, name, value)
        else:
            super().__setattr__(name, value)


@contextmanager
def economy_processes(count: int) -> Iterator[list[tuple[BatchProcess, EconomyClaude]]]:
    with batch_processes() as new_process:
        made = []
        for _ in range(count):
            process = new_process({})
            process.lane = "economy"
            claude = EconomyClaude(process)
            object.__setattr__(process.services, "claude", claude)
            made.append((process.another(process.clients), claude))
            made[-1][0].lane = "economy"
        yield made


def run_to_the_end(process: BatchProcess, faults: Faults) -> None:
    """Go on as the state machine would, waiting as it is told."""

    def create() -> None:
        try:
            process.create()
        except BaseException:
            process.clock.advance(MAX_REQUEST_S)
            raise

    faults.until_it_works(create)
    for _ in range(MOST_TURNS):
        turn = faults.until_it_works(process.turn)
        if turn.status in {"wait", "continue"}:
            process.clock.advance(turn.wait_seconds)
            continue
        result = faults.until_it_works(process.finish)
        if result.status == "finished":
            return
        process.clock.advance(result.wait_seconds)
    raise AssertionError("the job did not come to its end")


@cache
def clean_run() -> tuple[tuple[str, ...], Ending, int]:
    """The calls, the ending and the number of answers paid for, without a fault."""
    with (
        economy_processes(1) as [(process, claude)],
        Faults(process, "refused", None) as faults,
    ):
        run_to_the_end(process, faults)
        return tuple(faults.calls), ending_of(process), len(claude.paid)


def check_cell(process: BatchProcess, claude: EconomyClaude, kind: Kind, position: int) -> bool:
    _, clean, paid = clean_run()
    with Faults(process, kind, position) as faults:
        run_to_the_end(process, faults)
    where = f"{kind} at call {position}, {faults.struck}"
    assert process.job().status in ENDED_JOBS, where
    assert ending_of(process) == clean, where
    check_files(process)
    assert max(Counter(claude.paid).values()) == 1, where
    assert len(claude.paid) == paid, where
    return bool(faults.struck)


def test_the_run_without_a_fault_has_a_success_a_repair_and_a_failure() -> None:
    calls, clean, paid = clean_run()
    assert clean.counters == (0, 0, 2, 1, 0)
    assert paid == 5, "three answers, and two repairs"
    assert len(calls) * len(KINDS) >= FEWEST_CELLS


def test_a_fault_at_any_call_is_paid_once_and_changes_nothing_in_the_end(
    kind: Kind, tenth: int, record_property: Callable[[str, object], None]
) -> None:
    positions = positions_of(kind, tenth, len(clean_run()[0]))
    with economy_processes(len(positions)) as made:
        struck = [
            check_cell(process, claude, kind, position)
            for (process, claude), position in zip(made, positions, strict=True)
        ]
    assert sum(struck) >= len(positions) - 1
    record_property("samples", sum(struck))
