"""Renewing leases while calls are in flight."""

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
    """A claim repository that only renews; `answers` are used in turn, None for success."""

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
    """Replaces asyncio.sleep: records each sleep, runs the next callback, then ends the run."""

    def __init__(self, *then: Callable[[], None]) -> None:
        self.seconds: list[float] = []
        self._then = list(then)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if not self._then:
            raise asyncio.CancelledError
        self._then.pop(0)()


def run(renewer: LeaseRenewer, sleeps: Sleeps, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(asyncio, "sleep", sleeps)

        async def until_cancelled() -> None:
            try:
                await renewer.run()
            except asyncio.CancelledError:
                return

        asyncio.run(until_cancelled())


def nothing() -> None:
    """Only time passes."""


def renewer(renewals: Any, lease_seconds: int = 60) -> LeaseRenewer:
    return LeaseRenewer(renewals, build.a_lease, lease_seconds)


def test_a_lease_is_renewed_three_times_within_its_duration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    renewals, sleeps = Renewals(), Sleeps(nothing, nothing, nothing)
    held = renewer(renewals, lease_seconds=60)
    held.hold(ITEMS[0])
    run(held, sleeps, monkeypatch)
    assert renewals.renewed == [1, 1, 1]
    assert sleeps.seconds[:3] == [20, 20, 20]


def test_every_renewal_is_a_new_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def lease() -> Lease:
        made.append(len(made))
        return Lease("t", len(made))

    renewals = Renewals()
    held = LeaseRenewer(renewals, lease, 60)  # type: ignore[arg-type]
    held.hold(ITEMS[0])
    run(held, Sleeps(nothing, nothing), monkeypatch)
    assert [one.expires_at for one in renewals.leases] == [1, 2]


def test_all_held_leases_are_renewed_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    renewals = Renewals()
    held = renewer(renewals)
    for item in ITEMS:
        held.hold(item)
    run(held, Sleeps(nothing, lambda: held.release(ITEMS[0])), monkeypatch)
    assert renewals.renewed == [1, 2, 2]


def test_releasing_an_item_that_is_not_held_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    renewals = Renewals()
    held = renewer(renewals)
    held.release(ITEMS[0])
    run(held, Sleeps(nothing), monkeypatch)
    assert renewals.renewed == []


def test_a_lost_lease_is_not_renewed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    renewals = Renewals([LeaseLostError("lost")])
    held = renewer(renewals)
    held.hold(ITEMS[0])
    run(held, Sleeps(nothing, nothing), monkeypatch)
    assert renewals.renewed == [1]


def test_a_failed_renewal_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    renewals = Renewals([StorageError("UpdateItem", "throttled")])
    held = renewer(renewals)
    held.hold(ITEMS[0])
    run(held, Sleeps(nothing, nothing), monkeypatch)
    assert renewals.renewed == [1, 1]


def test_cancelling_ends_the_renewals() -> None:
    renewals = Renewals()

    async def held_for_a_moment() -> None:
        held = renewer(renewals, lease_seconds=3)
        held.hold(ITEMS[0])
        running = asyncio.create_task(held.run())
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(held_for_a_moment())
    assert renewals.renewed == []


def test_a_failed_renewal_is_logged_with_its_error_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logged: list[dict[str, Any]] = []

    class Log:
        def warning(self, message: str, **fields: Any) -> None:
            logged.append({"message": message, **fields})

    monkeypatch.setattr(worker, "logger", Log)
    held = renewer(Renewals([StorageError("UpdateItem", "throttled")]))
    held.hold(ITEMS[0])
    run(held, Sleeps(nothing), monkeypatch)
    (entry,) = logged
    assert entry["error_code"] == "storage_unavailable"
    assert set(entry) == {"message", "item_id", "error_code"}
