"""Batches under everything that people, workers, crashes and the clock can do to them."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Callable
from typing import ClassVar, Concatenate, ParamSpec, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from brightrun.batches.model import ENDED_JOBS, JOB_TRANSITIONS, BatchJob, JobAction, JobStatus
from brightrun.core.errors import ActionNotAllowedError
from brightrun.core.ids import time_ordered_id
from brightrun.core.timestamps import epoch_ms
from tests.builders import START
from tests.stateful.ledger import JobName, Ledger
from tests.stateful.observed import observe
from tests.stateful.operations import FAILED, LEASE_S, MOST_ITEMS, BatchOperations, Hold
from tests.stateful.stores import Store

MOST_JOBS = 6
ROUNDS_TO_THE_END = 10
WHAT_PEOPLE_DO = st.sampled_from(["pause", *["resume", "retry_failed"] * 4, "cancel"])
"""Seldom a cancel, which nothing opens again."""

ENDINGS = st.sampled_from(
    [
        *("complete", "fail", "requeue", "requeue_for_later", "crash", "complete_twice") * 2,
        "stop",
    ]
)

P = ParamSpec("P")
R = TypeVar("R")
_numbers = itertools.count()


def counted(
    step: Callable[Concatenate[BatchMachine, P], R],
) -> Callable[Concatenate[BatchMachine, P], R]:
    """Count a step, and check after it that all is in order."""

    def run(self: BatchMachine, /, *args: P.args, **kwargs: P.kwargs) -> R:
        BatchMachine.steps[step.__name__] += 1
        result = step(self, *args, **kwargs)
        self.check(*args, *kwargs.values(), retried=step.__name__ == "retry_failed")
        return result

    run.__name__ = step.__name__
    return run


class BatchMachine(RuleBasedStateMachine):
    """Two owners, some jobs each; after every step what it touched is read and checked."""

    steps: ClassVar[Counter[str]] = Counter()

    jobs: Bundle[JobName] = Bundle("jobs")
    holds: Bundle[Hold] = Bundle("holds")

    def __init__(self, store: Store) -> None:
        super().__init__()
        number = next(_numbers)
        self.store = store
        self.ledger = Ledger(store, (f"owner-{number}-a", f"owner-{number}-b"))
        self.operations = BatchOperations(store, self.ledger)

    # What people do.

    @initialize(target=jobs, items=st.integers(1, MOST_ITEMS))
    @counted
    def first_job(self, items: int) -> JobName:
        return self._submit(self.ledger.owners[0], items)

    @rule(target=jobs, owner=st.sampled_from([0, 1]), items=st.integers(1, MOST_ITEMS))
    @counted
    def submit(self, owner: int, items: int) -> JobName | MultipleResults[JobName]:
        if len(self.ledger.names) >= MOST_JOBS:
            return multiple()
        return self._submit(self.ledger.owners[owner], items)

    @rule(name=jobs)
    @counted
    def submit_again(self, name: JobName) -> None:
        before = self.ledger.seen[name]
        self.operations.submit(name, before.job.total_items)
        assert observe(self.store, *name) == before

    @rule(name=jobs, action=WHAT_PEOPLE_DO)
    def steer(self, name: JobName, action: str) -> None:
        """People press one of the four buttons."""
        {
            "pause": self.pause,
            "resume": self.resume,
            "cancel": self.cancel,
            "retry_failed": self.retry_failed,
        }[action](name)

    @counted
    def pause(self, name: JobName) -> None:
        self._act(name, JobAction.PAUSE, self.operations.controls().pause)

    @counted
    def resume(self, name: JobName) -> None:
        self._act(name, JobAction.RESUME, self.operations.controls().resume)

    @counted
    def cancel(self, name: JobName) -> None:
        job = self.ledger.seen[name].job
        if job.status is JobStatus.CANCELLED and job.open_items:
            assert self.operations.controls().cancel(*name).queued_items == 0
        else:
            self._act(name, JobAction.CANCEL, self.operations.controls().cancel)

    @counted
    def retry_failed(self, name: JobName) -> None:
        job = self.ledger.seen[name].job
        ended_badly = job.failed_items + job.cancelled_items
        allowed = job.status in JOB_TRANSITIONS[JobAction.RETRY_FAILED]
        try:
            after, requeued = self.operations.controls().retry_failed(*name)
        except ActionNotAllowedError:
            assert not allowed or not ended_badly
        else:
            assert allowed
            assert requeued == ended_badly
            assert (after.failed_items, after.cancelled_items) == (0, 0)

    # What workers do.

    @rule(target=holds, name=jobs, endings=st.lists(ENDINGS | st.none(), min_size=2, max_size=6))
    def work(self, name: JobName, endings: list[str | None]) -> MultipleResults[Hold]:
        """A worker claims some items and ends them; those without an ending stay in work."""
        kept = []
        for hold, ending in zip(self.claim(name, len(endings)), endings, strict=False):
            if ending is None:
                kept.append(hold)
            else:
                self._end_with(hold, ending)
        return multiple(*kept)

    @counted
    def claim(self, name: JobName, count: int) -> list[Hold]:
        return self.operations.claim(name, count)

    @rule(target=holds, name=jobs)
    @counted
    def claim_racing(self, name: JobName) -> MultipleResults[Hold]:
        return multiple(*self.operations.race(name))

    @rule(target=holds, name=jobs, ending=ENDINGS)
    def overtake(self, name: JobName, ending: str) -> MultipleResults[Hold]:
        """A worker is so slow that another has its items when it lets go of them."""
        slow = self.claim(name, 2)
        self.let_leases_run_out(LEASE_S)
        quick = self.claim(name, MOST_ITEMS)
        for hold in slow:
            self._end_with(hold, ending)
        return multiple(*quick)

    @rule(hold=holds)
    @counted
    def renew(self, hold: Hold) -> None:
        self.operations.renew(hold)

    @rule(hold=consumes(holds), ending=ENDINGS)
    def end(self, hold: Hold, ending: str) -> None:
        """A worker lets go of an item, perhaps long after its lease has run out."""
        self._end_with(hold, ending)

    @counted
    def complete(self, hold: Hold) -> None:
        self.operations.complete(hold)

    @counted
    def fail(self, hold: Hold) -> None:
        self.operations.finalize(hold, FAILED)

    @counted
    def stop(self, hold: Hold) -> None:
        self.operations.finalize(hold, dataclasses.replace(FAILED, stop_reason="An item failed"))

    @counted
    def requeue(self, hold: Hold) -> None:
        self.operations.requeue(hold, 0)

    @counted
    def requeue_for_later(self, hold: Hold) -> None:
        self.operations.requeue(hold, 2 * LEASE_S)

    @counted
    def complete_twice(self, hold: Hold) -> None:
        """A worker whose first answer got lost finalizes again, under the same lease."""
        self.operations.finalize(hold, FAILED)
        assert not self.operations.finalize(hold, FAILED)

    @counted
    def crash(self, hold: Hold) -> None:
        """A worker dies, and with it all that it knew of the item."""

    # What time and the workflow do.

    @rule(seconds=st.integers(1, LEASE_S - 1) | st.just(LEASE_S))
    def pass_time(self, seconds: int) -> None:
        (self.let_leases_run_out if seconds == LEASE_S else self.wait_a_little)(seconds)

    @counted
    def wait_a_little(self, seconds: int) -> None:
        self.operations.clock.advance(seconds)

    @counted
    def let_leases_run_out(self, seconds: int) -> None:
        self.operations.clock.advance(seconds)

    @rule(name=jobs, rounds=st.integers(0, 4))
    @counted
    def finish(self, name: JobName, rounds: int) -> None:
        self.operations.finish(name, rounds)
        # A run that hands over says so after it has written the file; the next run writes it again.
        text = self.operations.log_txt(name)
        assert text == observe(self.store, *name).log[: len(text)]

    # What must hold.

    def check(self, *arguments: object, retried: bool) -> None:
        """Check every job, or those that a step's arguments name where reading costs much."""
        named = {one.name if isinstance(one, Hold) else one for one in arguments if one}
        touched = [name for name in self.ledger.names if self.store.quick or name in named]
        new = [name for name in self.ledger.names if name not in self.ledger.seen]
        names = dict.fromkeys([*touched, *new])
        self.ledger.check(names, epoch_ms(self.operations.clock.now), retried=retried)

    @invariant()
    def nothing_is_seen_by_the_other_owner(self) -> None:
        if self.store.quick:
            self.ledger.check_strangers()

    def teardown(self) -> None:
        """Whatever happened, the workflow brings every job to its end."""
        for name in self.ledger.names:
            self._bring_to_an_end(name)
            assert not self._open_items(name)
            assert self.operations.log_txt(name) == self.ledger.seen[name].log
        self.ledger.check_strangers()

    # How.

    def _submit(self, owner: str, count: int) -> JobName:
        name = (owner, time_ordered_id(START))
        self.operations.submit(name, count)
        self.ledger.opened(name)
        return name

    def _bring_to_an_end(self, name: JobName) -> None:
        if self.ledger.seen[name].job.status is JobStatus.PAUSED:
            self.resume(name)
        for _ in range(ROUNDS_TO_THE_END):
            for hold in self.claim(name, MOST_ITEMS):
                self.complete(hold)
            self.finish(name, 0)
            if self.ledger.seen[name].job.status in ENDED_JOBS and not self._open_items(name):
                return
            self.operations.clock.advance(2 * LEASE_S)

    def _open_items(self, name: JobName) -> int:
        return self.ledger.seen[name].job.open_items

    def _act(self, name: JobName, action: JobAction, act: Callable[[str, str], BatchJob]) -> None:
        target = JOB_TRANSITIONS[action].get(self.ledger.seen[name].job.status)
        try:
            after = act(*name)
        except ActionNotAllowedError:
            assert target is None
        else:
            assert after.status is target

    def _end_with(self, hold: Hold, ending: str) -> None:
        {
            "complete": self.complete,
            "fail": self.fail,
            "stop": self.stop,
            "requeue": self.requeue,
            "requeue_for_later": self.requeue_for_later,
            "complete_twice": self.complete_twice,
            "crash": self.crash,
        }[ending](hold)
