"""How running workers share what Claude carries: fairly, and no more than that together."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from brightrun.aws.running_workers import COUNTED_FOR, LEARNED_FOR, RunningWorker
from brightrun.batches.call_limit import CallLimit
from brightrun.batches.shared_calls import BEAT_S, SharedCalls, divided, fair_share
from brightrun.core.errors import ClaudeCallError
from tests.builders import OWNER, STRANGER, SteppedClock
from tests.effort import effort
from tests.fakes.running_workers import InMemoryRunningWorkers

MODEL = "claude-sonnet-5-5"
REFUSED = ClaudeCallError("rate_limit", "Refused.", status=429, retryable=True, overloaded=True)
WANTED = some.dictionaries(some.text("abcdef", min_size=1), some.integers(1, 60), min_size=1)


@given(calls=some.integers(0, 500), wanted=WANTED)
def test_calls_are_divided_so_that_none_waits_for_what_another_does_not_use(
    calls: int, wanted: dict[str, int]
) -> None:
    parts = divided(calls, wanted)
    assert parts.keys() == wanted.keys()
    assert sum(parts.values()) == min(calls, sum(wanted.values()))
    most = max(parts.values())
    for name, part in parts.items():
        assert part <= wanted[name]
        assert part == wanted[name] or part >= most - 1


@given(
    spare=some.floats(0, 500),
    owners=some.lists(
        some.lists(some.integers(1, 25), min_size=1, max_size=6), min_size=1, max_size=6
    ),
)
def test_shares_are_fair_between_owners_first_and_together_no_more_than_the_limit(
    spare: float, owners: list[list[int]]
) -> None:
    workers = [
        RunningWorker(MODEL, f"owner-{owner}", f"{owner}-{number}", most, 1)
        for owner, orders in enumerate(owners)
        for number, most in enumerate(orders)
    ]
    # So much that no owner's part is below one call for each of its workers.
    limit = len(owners) * max(map(len, owners)) + spare
    got: Counter[str] = Counter()
    for worker in workers:
        share = fair_share(limit, worker, workers)
        assert 1 <= share <= worker.most
        got[worker.owner_id] += share
    assert got.total() <= limit
    most = max(got.values())
    for owner, orders in enumerate(owners):
        assert got[f"owner-{owner}"] == sum(orders) or got[f"owner-{owner}"] >= most - 1


def test_every_worker_keeps_one_call_however_low_the_limit_is() -> None:
    workers = [RunningWorker(MODEL, OWNER, f"{number}", 25, 1) for number in range(8)]
    assert [fair_share(3.5, one, workers) for one in workers] == [1] * 8


@dataclass
class Account:
    """Claude, which carries so many calls at once, and the workers that call it together."""

    carries: int
    clock: SteppedClock = field(default_factory=SteppedClock)
    store: InMemoryRunningWorkers = field(default_factory=InMemoryRunningWorkers)
    workers: list[SharedCalls] = field(default_factory=list)
    random: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311
    refused: int = 0

    def join(self, owner_id: str = OWNER, *, most: int = 25, most_calls: int = 0) -> SharedCalls:
        calls = CallLimit(most, seconds_left=lambda: 890.0, is_open=lambda: True)
        token = f"worker-{len(self.workers)}-{owner_id}"
        me = RunningWorker(MODEL, owner_id, token, most, most)
        self.workers.append(SharedCalls(self.store, calls, me, self.clock, most_calls))
        asyncio.run(self.workers[-1].beat())
        return self.workers[-1]

    def go_on(self, beats: int) -> None:
        """For so many times BEAT_S: two rounds of calls, then a report of each, in any order."""
        for _ in range(beats):
            for _ in range(2):
                asyncio.run(self._round())
            self.clock.advance(seconds=BEAT_S)
            self.report()

    def report(self) -> None:
        for worker in self.random.sample(self.workers, len(self.workers)):
            asyncio.run(worker.beat())

    async def _round(self) -> None:
        """All calls that the workers allow themselves, at once; the account refuses the rest."""
        callers = [one for one in self.workers for _ in range(one.calls.limit)]
        self.random.shuffle(callers)
        begun = asyncio.Barrier(len(callers))
        await asyncio.gather(
            *(self._call(one, begun, place) for place, one in enumerate(callers, start=1))
        )

    async def _call(self, worker: SharedCalls, begun: asyncio.Barrier, place: int) -> None:
        try:
            async with worker.calls.call():
                await begun.wait()
                if place > self.carries:
                    self.refused += 1
                    raise REFUSED
        except ClaudeCallError:
            return

    def of(self, owner_id: str) -> int:
        return sum(one.calls.limit for one in self.workers if one.worker.owner_id == owner_id)

    @property
    def together(self) -> int:
        return sum(one.calls.limit for one in self.workers)


def test_one_batch_that_is_never_refused_has_all_that_was_ordered() -> None:
    account = Account(carries=100)
    for _ in range(4):
        account.join()
    account.go_on(5)
    assert account.together == 100
    assert account.refused == 0


def test_another_owners_batch_gets_its_half_with_its_first_report() -> None:
    account = Account(carries=40)
    for _ in range(4):
        account.join(OWNER)
    account.go_on(12)
    assert 28 <= account.together <= 52
    late = account.join(STRANGER, most=25)
    account.report()
    assert late.calls.limit == account.of(STRANGER)
    assert abs(account.of(STRANGER) - min(25, account.of(OWNER))) <= 1


def test_the_workers_of_one_owner_get_no_more_than_the_one_of_another() -> None:
    account = Account(carries=30)
    for owner in (OWNER, OWNER, OWNER, OWNER, STRANGER):
        account.join(owner)
    account.go_on(15)
    account.report()  # Everyone's changes are known to everyone.
    assert abs(account.of(OWNER) - account.of(STRANGER)) <= 1
    assert 20 <= account.together <= 42


def test_a_second_batch_is_refused_less_than_where_each_worker_learns_alone() -> None:
    shared, alone = Account(carries=30), Account(carries=30)
    alone.store.fails = True
    for account in (shared, alone):
        account.join()
        account.join()
        account.go_on(10)
        account.refused = 0
        for _ in range(4):
            account.join(STRANGER)
        account.go_on(3)
    assert shared.refused < alone.refused / 2


def test_the_share_of_a_worker_that_died_comes_back_when_it_has_expired() -> None:
    account = Account(carries=30)
    left, dead = account.join(OWNER), account.join(STRANGER)
    account.go_on(10)
    limit = account.store.report(left.worker, account.clock()).limit
    assert limit is not None
    account.workers.remove(dead)
    account.report()
    assert left.calls.limit <= limit / 2 + 1
    account.clock.advance(seconds=COUNTED_FOR.total_seconds())
    account.report()
    assert left.calls.limit == min(25, int(limit))


def test_a_worker_that_waits_for_its_last_answers_leaves_the_rest_of_its_share() -> None:
    account = Account(carries=30)
    ending, other = account.join(OWNER), account.join(STRANGER)
    account.go_on(10)
    account.report()
    limit = ending.calls.limit + other.calls.limit
    ending.calls.is_ending = True

    async def two_left() -> None:
        async with ending.calls.call(), ending.calls.call():
            await ending.beat()
            await other.beat()
            assert ending.calls.limit == 2
            assert other.calls.limit == min(25, limit - 2)

    asyncio.run(two_left())


def test_the_limit_recovers_when_claude_carries_more_again() -> None:
    account = Account(carries=10)
    for owner in (OWNER, STRANGER):
        account.join(owner)
    account.go_on(15)
    assert account.together <= 16
    account.carries = 100
    account.go_on(20)
    assert account.together == 50


def test_a_limit_that_nothing_was_refused_under_for_long_is_forgotten() -> None:
    account = Account(carries=10)
    account.join()
    account.go_on(5)
    account.clock.advance(seconds=LEARNED_FOR.total_seconds())
    assert account.join(STRANGER).calls.limit == 25


def test_an_operators_limit_holds_though_claude_refuses_nothing() -> None:
    account = Account(carries=1000)
    for owner in (OWNER, OWNER, STRANGER):
        account.join(owner, most_calls=24)
    account.report()
    for _ in range(5):
        assert (account.of(OWNER), account.of(STRANGER)) == (12, 12)
        account.go_on(1)


def test_a_worker_alone_makes_two_requests_in_each_period_and_writes_once() -> None:
    account = Account(carries=100)
    account.join()
    before = account.store.writes
    account.go_on(10)
    assert account.store.writes - before == 10


def test_without_a_table_that_answers_a_worker_goes_on_with_its_own_limit() -> None:
    account = Account(carries=10)
    worker = account.join()
    account.store.fails = True
    account.go_on(5)
    assert 6 <= worker.calls.limit <= 16
    account.store.fails = False
    account.report()
    found = account.store.report(worker.worker, account.clock())
    assert found.limit == pytest.approx(worker.calls.exact, abs=1)


@settings(max_examples=effort(10, 30), deadline=None)
@given(
    carries=some.integers(12, 60),
    owners=some.lists(some.sampled_from([OWNER, STRANGER]), min_size=2, max_size=6),
    seed=some.integers(0, 1000),
)
def test_whatever_the_order_of_reports_the_shares_fit_the_limit_and_each_other(
    carries: int, owners: list[str], seed: int
) -> None:
    account = Account(carries, random=random.Random(seed))  # noqa: S311 - not a secret
    for owner in owners:
        account.join(owner)
    account.go_on(8)
    account.report()  # Everyone's changes are known to everyone.
    limit = account.store.report(account.workers[0].worker, account.clock()).limit
    if limit is None:
        assert account.refused == 0
        assert account.together == 25 * len(owners)
        return
    assert account.together <= max(limit, len(owners))
    wanted = {owner: 25 * owners.count(owner) for owner in owners}
    most = max(map(account.of, wanted))
    for owner, calls in wanted.items():
        assert account.of(owner) == calls or account.of(owner) >= most - 1


def test_a_worker_takes_part_as_long_as_it_runs() -> None:
    account = Account(carries=100)
    calls = CallLimit(25, seconds_left=lambda: 890.0, is_open=lambda: True)
    shared = SharedCalls(
        account.store, calls, RunningWorker(MODEL, OWNER, "worker", 25, 25), account.clock
    )
    other = RunningWorker(MODEL, STRANGER, "other", 25, 25)

    def seen() -> set[str]:
        return {one.token for one in account.store.report(other, account.clock()).workers}

    async def run() -> None:
        async with shared.joined():
            assert seen() == {"worker", "other"}

    asyncio.run(run())
    assert seen() == {"other"}
