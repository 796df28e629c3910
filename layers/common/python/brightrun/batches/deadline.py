"""Deadlines: which lane an order is written in to be done in time, and when the lane changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from brightrun.batches.model import Lane
from brightrun.core.errors import InvalidInputError
from brightrun.core.wording import duration

MOST_AHEAD = timedelta(days=30)
"""How far ahead a deadline may lie; every batch ends within three days of work."""
MARGIN = timedelta(minutes=15)
"""Left beside the writing: until Claude has cancelled a Message Batch, its results are read and the
realtime workers have started; the waits of the workflow between two looks at the last answers."""
MARGIN_SHARE = 0.25
"""Of the realtime lane's ninetieth percentile, left beside it: for calls that Claude refuses."""
_ECONOMY_ROUNDS = 2
"""Message Batches that an item may be in, one after the other: the first, and its one repair."""


@dataclass(frozen=True, slots=True)
class Quantiles:
    """The median, and what nine of ten stay within."""

    p50: float
    p90: float


@dataclass(frozen=True, slots=True)
class LaneEnd:
    """When a batch that is ordered now would end in a lane.

    `likely` is where half or most of them end. Nine of ten end by `latest` in realtime, all in the
    economy lane.
    """

    lane: Lane
    likely: datetime
    latest: datetime


@dataclass(frozen=True, slots=True)
class DeadlinePlan:
    """How an order is written to be done by a time.

    It begins in `lane`. From `switch_at` on, what Claude has not answered in the economy lane is
    written in realtime. `reason` says why, in a sentence, and `notice` that it will or may be late.
    """

    done_by: datetime
    lane: Lane
    switch_at: datetime | None
    ends: Sequence[LaneEnd]
    reason: str
    notice: str | None = None


def plan_deadline(
    done_by: datetime,
    now: datetime,
    *,
    realtime: Quantiles,
    economy: Quantiles,
    capped: bool = False,
    unavailable: bool = False,
) -> DeadlinePlan:
    """Choose the cheapest way that is done in time, as far as the estimates tell.

    `realtime` and `economy` are seconds; the economy lane's p90 is the limit of one Message Batch.
    A `capped` batch is sent in waves, whose number nobody knows. `unavailable`: there is no economy
    lane. A time that not even realtime makes is accepted with a notice. Raises InvalidInputError
    for a time that is past, or more than MOST_AHEAD away.
    """
    _require_ahead(done_by, now)
    writing = timedelta(seconds=realtime.p90 * (1 + MARGIN_SHARE)) + MARGIN
    longest = _ECONOMY_ROUNDS * timedelta(seconds=economy.p90) + MARGIN
    usual = timedelta(seconds=economy.p50)
    latest_switch = done_by - writing
    ends = (
        LaneEnd("realtime", _after(now, realtime.p50), _after(now, realtime.p90)),
        LaneEnd("economy", now + usual, now + longest),
    )
    if unavailable:
        reason = "Realtime: there is no economy lane here."
        return DeadlinePlan(done_by, "realtime", None, ends[:1], reason, _notice(done_by, ends[0]))
    if latest_switch - now < usual:
        reason = (
            f"Realtime: the economy lane would have to answer by {_told(latest_switch)}, and most "
            f"Message Batches take up to {_minutes(usual)}."
        )
        return DeadlinePlan(done_by, "realtime", None, ends, reason, _notice(done_by, ends[0]))
    if now + longest <= done_by and not capped:
        reason = (
            "Economy, at half the price: even its longest, a day for the answers and a day for the "
            f"repair of those that failed, ends by {_told(now + longest)}."
        )
        return DeadlinePlan(done_by, "economy", None, ends, reason)
    reason = (
        f"Economy first, at half the price, since most Message Batches end within "
        f"{_minutes(usual)}; what Claude has not answered by {_told(latest_switch)} is cancelled "
        f"there and written in realtime: all of it takes up to {_minutes(realtime.p90)} in nine "
        f"of ten batches, and a quarter of that and {_minutes(MARGIN)} are left beside it."
    )
    return DeadlinePlan(done_by, "economy", latest_switch, ends, reason)


def _require_ahead(done_by: datetime, now: datetime) -> None:
    if done_by <= now:
        raise InvalidInputError.of_field("doneBy", "This time is past: name a later one.")
    if done_by - now > MOST_AHEAD:
        raise InvalidInputError.of_field(
            "doneBy", f"Name a time within {MOST_AHEAD.days} days, or order in the economy lane."
        )


def _notice(done_by: datetime, realtime: LaneEnd) -> str | None:
    """Say whether even the realtime lane will or may be late."""
    if realtime.likely > done_by:
        return (
            f"Not even realtime is likely to be done by {_told(done_by)}: it takes until about "
            f"{_told(realtime.likely)}. It is written as fast as its calls in flight allow."
        )
    if realtime.latest > done_by:
        return (
            f"It may be late: one of ten batches of this size takes longer than until "
            f"{_told(realtime.latest)}."
        )
    return None


def _after(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=seconds)


def _told(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _minutes(time: timedelta | float) -> str:
    """A duration, or seconds, in whole minutes, rounded up: 45 min, 2 h 05 min."""
    seconds = time.total_seconds() if isinstance(time, timedelta) else time
    return duration(math.ceil(seconds / 60) * 60)
