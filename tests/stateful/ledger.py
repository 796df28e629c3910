"""What the state machine knows should be there, and the comparison with what is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from brightrun.batches.model import BatchItem, ItemStatus
from brightrun.core.errors import NotFoundError
from brightrun.core.ids import conversation_id
from tests.stateful.observed import Observed, check_moment, check_step, observe
from tests.stateful.stores import Store

JobName = tuple[str, str]
"""Owner and job id."""


class Ledger:
    """The jobs of two owners: what was last seen of them, and every ending that took effect."""

    def __init__(self, store: Store, owners: tuple[str, str]) -> None:
        self.owners = owners
        self.seen: dict[JobName, Observed] = {}
        self._store = store
        self._cost: Counter[JobName] = Counter()
        self._claims: Counter[JobName] = Counter()
        self._endings: dict[JobName, list[str]] = {}

    @property
    def names(self) -> list[JobName]:
        return list(self._endings)

    def opened(self, name: JobName) -> None:
        self._endings[name] = []

    def claimed(self, name: JobName, count: int) -> None:
        self._claims[name] += count

    def ended(self, name: JobName, line: str, cost: int) -> None:
        self._cost[name] += cost
        self._endings[name].append(line)

    def item(self, name: JobName, position: int) -> BatchItem:
        """An item as it is stored now."""
        page = self._store.batches.items(*name, status=None, limit=position, cursor=None)
        return page.records[-1]

    def check(self, names: Iterable[JobName], now_ms: int, *, retried: bool) -> None:
        """Hold jobs to what must be true after any step."""
        for name in names:
            after = observe(self._store, *name)
            check_moment(after)
            if name in self.seen:
                check_step(self.seen[name], after, now_ms, retried=retried)
            self._check_books(name, after)
            self.seen[name] = after
        self._check_conversations()

    def check_strangers(self) -> None:
        """Nothing of an owner's is seen by the other."""
        batches = self._store.batches
        for owner, job_id in self.names:
            (stranger,) = set(self.owners) - {owner}
            assert not batches.items(stranger, job_id, status=None, limit=9, cursor=None).records
            assert not batches.log(stranger, job_id, limit=9, cursor=None).records
            assert not self._is_there(stranger, job_id)
        for owner in self.owners:
            listed = batches.jobs(owner, status=None, limit=99, cursor=None).records
            mine = {job_id for one, job_id in self.names if one == owner}
            assert {job.job_id for job in listed} == mine

    def _is_there(self, owner: str, job_id: str) -> bool:
        try:
            self._store.batches.job(owner, job_id)
        except NotFoundError:
            return False
        return True

    def _check_books(self, name: JobName, seen: Observed) -> None:
        """Money and log: each ending that took effect is there, once, and no other."""
        assert seen.job.cost_micro_usd == self._cost[name]
        endings = [line for line in seen.log if line.startswith("ending ")]
        assert sorted(endings) == sorted(self._endings[name])
        starts = [line for line in seen.log if line.startswith("Processing item")]
        assert len(starts) == self._claims[name]

    def _check_conversations(self) -> None:
        """Every conversation is of one completed item, and each of those has one."""
        for owner in self.owners:
            mine = [seen for name, seen in self.seen.items() if name[0] == owner]
            written = {
                conversation_id(item.item_id): item.item_id
                for seen in mine
                for item in seen.items
                if item.status is ItemStatus.COMPLETED
            }
            assert self._store.conversations(owner) == written
