"""Keeping leases alive while the calls they protect go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from brightrun.batches import worker
from brightrun.batches.model import BatchItem, Lease
from brightrun.batches.worker import LeaseRenewer
from brightrun.core.errors import LeaseLostError, StorageError
from tests import builders as build

ITEMS = build.a_plan(2).items


@dataclass
class Renewals:
    """A claim repository that only renews; `answers` are played in turn, None for success."""

    answers: list[Exception | None] = field(default_factory=list)
    renewed: list[int] = field(default_factory=list)
    leases: list[Lease] = field(default_factory=list)

    def renew(self, item: BatchItem, lease: Lease) -> None:
        self.renewed.append(item.position)
        self.leases.append(lease)
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer


class Sleeps:
    """Stands in for time: notes each sleep, does what is scripted after it, ends the run."""

    def __init__(self, *then: Callable[[], None]) -> None:
        self.seconds: list[float] = []
        self._then = list(then)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if not self._then:
            raise asyncio.CancelledError
        self._then.pop(0)()


def run(keeper: LeaseRenewer, sleeps: Sleeps, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(asyncio, "sleep", sleeps)

        async def until_cancelled() -> None:
            try:
                await keeper.run()
            except asyncio.CancelledError:
                return

        asyncio.run(until_cancelled())


def nothing() -> None:
    """Time passes."""


def keeper(renewals: Any, lease_seconds: int = 60) -> LeaseRenewer:
    return LeaseRenewer(renewals, build.a_lease, lease_seconds)


def test_a_lease_is_renewed_three_times_within_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    renewals, sleeps = Renewals(), Sleeps(nothing, nothing, nothing)
    kept = keeper(renewals, lease_seconds=60)
    kept.hold(ITEMS[0])
    run(kept, sleeps, monkeypatch)
    assert renewals.renewed == [1, 1, 1]
    assert sleeps.seconds[:3] == [20, 20, 20]


def test_every_renewal_is_a_new_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def lease() -> Lease:
        made.append(len(made))
        return Lease("t", len(made))

    renewals = Renewals()
    kept = LeaseRenewer(renewals, lease, 60)  # type: ignore[arg-type]
    kept.hold(ITEMS[0])
    run(kept, Sleeps(nothing, nothing), monkeypatch)
    assert [one.expires_at for one in renewals.leases] == [1, 2]


def test_all_that_is_held_is_renewed_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    renewals = Renewals()
    kept = keeper(renewals)
    for item in ITEMS:
        kept.hold(item)
    run(kept, Sleeps(nothing, lambda: kept.release(ITEMS[0])), monkeypatch)
    assert renewals.renewed == [1, 2, 2]


def test_releasing_what_is_not_held_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    renewals = Renewals()
    kept = keeper(renewals)
    kept.release(ITEMS[0])
    run(kept, Sleeps(nothing), monkeypatch)
    assert renewals.renewed == []


def test_a_lost_lease_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    renewals = Renewals([LeaseLostError("lost")])
    kept = keeper(renewals)
    kept.hold(ITEMS[0])
    run(kept, Sleeps(nothing, nothing), monkeypatch)
    assert renewals.renewed == [1]


def test_a_renewal_that_failed_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    renewals = Renewals([StorageError("UpdateItem", "throttled")])
    kept = keeper(renewals)
    kept.hold(ITEMS[0])
    run(kept, Sleeps(nothing, nothing), monkeypatch)
    assert renewals.renewed == [1, 1]


def test_closing_ends_the_renewals() -> None:
    renewals = Renewals()

    async def held_for_a_moment() -> None:
        kept = keeper(renewals, lease_seconds=3)
        kept.hold(ITEMS[0])
        running = asyncio.create_task(kept.run())
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(held_for_a_moment())
    assert renewals.renewed == []


def test_what_is_logged_of_a_failed_renewal_is_the_errors_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logged: list[dict[str, Any]] = []

    class Log:
        def warning(self, message: str, **fields: Any) -> None:
            logged.append({"message": message, **fields})

    monkeypatch.setattr(worker, "logger", Log)
    kept = keeper(Renewals([StorageError("UpdateItem", "throttled")]))
    kept.hold(ITEMS[0])
    run(kept, Sleeps(nothing), monkeypatch)
    (entry,) = logged
    assert entry["error_code"] == "storage_unavailable"
    assert set(entry) == {"message", "item_id", "error_code"}
