"""What workers and the workflow do to a store, each step held to what it must answer."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass

from brightrun.batches.claim_repository import Outcome
from brightrun.batches.control_batch import BatchControls
from brightrun.batches.finish_batch import BatchFinisher
from brightrun.batches.log import LogLine, log_line
from brightrun.batches.model import (
    BatchItem,
    BatchJob,
    ItemStatus,
    JobAction,
    JobStatus,
    Lease,
    job_key,
)
from brightrun.batches.worker import ItemClaims
from brightrun.batches.workflow import Round
from brightrun.conversations.model import ConversationRecord
from brightrun.core.budgets import Limits
from brightrun.core.errors import ClaimsClosedError, LeaseLostError
from brightrun.core.ids import conversation_id, item_id
from brightrun.core.timestamps import epoch_ms
from tests import builders as build
from tests.builders import SteppedClock
from tests.fakes.external_services import InMemoryKeys, InMemoryObjects, RecordedWorkflow
from tests.stateful.ledger import JobName, Ledger
from tests.stateful.stores import Store
from tests.unit.batches.worker_setup import World

LEASE_S = 60
MOST_ITEMS = 8
FAILED = Outcome(ItemStatus.FAILED, [], 1, 2, 30, error_code="x", error_message="y")


def a_record() -> ConversationRecord:
    """A conversation's row as a real worker writes it."""
    world = World()
    world.run_worker(world.job(1))
    return next(iter(world.batches.conversations.values()))


PLANNED = build.a_plan(MOST_ITEMS)
RECORD = a_record()


@dataclass(frozen=True)
class Hold:
    """An item as a worker leased it; the lease may have passed to another since."""

    name: JobName
    item: BatchItem


class BatchOperations:
    """Everybody who changes batches but people."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self.clock = SteppedClock()
        self._store = store
        self._ledger = ledger
        self._workflow = RecordedWorkflow()
        self._logs = InMemoryObjects()
        self._numbers = itertools.count()

    def controls(self) -> BatchControls:
        return BatchControls(
            batches=self._store.batches,
            claims=self._store.claims,
            workflow=self._workflow,
            keys=InMemoryKeys(),
            clock=self.clock,
            limits=Limits(),
        )

    def submit(self, name: JobName, count: int) -> None:
        """Store a job as a request to create it does; doing it again must change nothing."""
        job = build.a_job(
            PLANNED,
            owner=name[0],
            job_id=name[1],
            total_items=count,
            status=JobStatus.QUEUED,
            started_at=None,
        )
        items = [
            dataclasses.replace(
                item, job_key=job_key(*name), item_id=item_id(name[1], item.position)
            )
            for item in PLANNED.items[:count]
        ]
        self._store.batches.create(job, items)

    def begun(self, name: JobName) -> BatchJob:
        """The job, moved on from queued as the first worker does."""
        job = self._store.batches.job(*name)
        if job.status is JobStatus.QUEUED:
            line = self._line("started")
            job = self._store.batches.apply(*name, JobAction.BEGIN, self.clock.now, line)
        return job

    def claim(self, name: JobName, count: int) -> list[Hold]:
        """A worker takes up to `count` items: some, when there are any to take, else none."""
        job = self.begun(name)
        worker = ItemClaims(
            self._store.claims,
            self._store.batches,
            job,
            token=self._token(),
            lease_seconds=LEASE_S,
            clock=self.clock,
        )
        free = {item.position for item in self.free(name)}
        try:
            items = worker.claim(count)
        except ClaimsClosedError:
            assert not job.accepts_claims
            return []
        assert job.accepts_claims
        assert bool(items) is bool(free)
        assert len(items) <= count
        assert {item.position for item in items} <= free
        self._ledger.claimed(name, len(items))
        return [Hold(name, item) for item in items]

    def race(self, name: JobName) -> list[Hold]:
        """Two workers go for the same items, as both read them: the first gets all of them."""
        free = self.free(name)
        if not free or not self.begun(name).accepts_claims:
            return []
        first, second = (self._lease_all(free) for _ in range(2))
        assert {item.position for item in first} == {item.position for item in free}
        assert second == []
        self._ledger.claimed(name, len(first))
        return [Hold(name, item) for item in first]

    def renew(self, hold: Hold) -> None:
        """A worker renews a lease, which works exactly while the item is its own."""
        ours = self._is_held(hold)
        try:
            self._store.claims.renew(hold.item, self._lease(hold.item.lease_token))
        except LeaseLostError:
            assert not ours
        else:
            assert ours

    def complete(self, hold: Hold) -> None:
        """A worker completes an item with its conversation."""
        record = dataclasses.replace(
            RECORD,
            owner_id=hold.name[0],
            batch_job_id=hold.name[1],
            item_id=hold.item.item_id,
            conversation_id=conversation_id(hold.item.item_id),
        )
        self.finalize(hold, Outcome(ItemStatus.COMPLETED, [], 10, 20, 300, conversation=record))

    def requeue(self, hold: Hold, seconds: int) -> None:
        """A worker puts an item back, to be tried again after some seconds."""
        due = epoch_ms(self.clock.now) + seconds * 1000
        self.finalize(hold, Outcome(ItemStatus.QUEUED, [], retry_at=due))

    def finalize(self, hold: Hold, outcome: Outcome) -> bool:
        """A worker finalizes an item, which works exactly while it is its own; gives whether."""
        ours = self._is_held(hold)
        ending = f"ending {next(self._numbers)}"
        outcome = dataclasses.replace(outcome, lines=[self._line(ending)])
        try:
            build.end_item(self._store.claims, hold.item, outcome, self.clock.now)
        except LeaseLostError:
            assert not ours
            return False
        assert ours
        self._ledger.ended(hold.name, ending, outcome.cost_micro_usd)
        return True

    def finish(self, name: JobName, round_number: int) -> None:
        """The workflow ends a round."""
        job = self._store.batches.job(*name)
        finisher = BatchFinisher(
            batches=self._store.batches,
            claims=self._store.claims,
            logs=self._logs,
            workflow=self._workflow,
            clock=self.clock,
            sweep=lambda _: None,
        )
        this_round = Round(
            owner_id=name[0], job_id=name[1], run=job.run, workers=[0], round=round_number
        )
        finisher.finish(this_round)

    def log_txt(self, name: JobName) -> tuple[str, ...]:
        """The messages of the job's log.txt."""
        lines = self._logs.objects[f"{name[1]}/log.txt"].text.splitlines()
        return tuple(line.partition("] ")[2] for line in lines)

    def free(self, name: JobName) -> list[BatchItem]:
        """The items that may be taken now, as they were last seen."""
        now_ms = epoch_ms(self.clock.now)
        return [
            item
            for item in self._ledger.seen[name].items
            if (since := item.claimable_at()) is not None and since <= now_ms
        ]

    def _lease_all(self, items: list[BatchItem]) -> list[BatchItem]:
        lines = [self._line("Processing item ...") for _ in items]
        lease = self._lease(self._token())
        return self._store.claims.claim(items, lease, lines, self.clock.now)

    def _is_held(self, hold: Hold) -> bool:
        stored = self._ledger.item(hold.name, hold.item.position)
        in_work = stored.status is ItemStatus.PROCESSING
        return in_work and stored.lease_token == hold.item.lease_token

    def _line(self, message: str) -> LogLine:
        return log_line(self.clock.now, "machine", message)

    def _token(self) -> str:
        return f"worker-{next(self._numbers)}"

    def _lease(self, token: str | None) -> Lease:
        return Lease(token or "", epoch_ms(self.clock.now) + LEASE_S * 1000)
