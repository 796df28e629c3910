"""Deadlines: the cheapest lane that is done in time, when it changes, and what is said of it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from brightrun.batches.deadline import MARGIN, MOST_AHEAD, DeadlinePlan, Quantiles, plan_deadline
from brightrun.claude.registry import BATCHED_SECONDS, MOST_BATCHED_SECONDS
from brightrun.core.errors import InvalidInputError
from tests.builders import START

HOUR = 3600.0
ECONOMY = Quantiles(BATCHED_SECONDS, MOST_BATCHED_SECONDS)
SMALL = Quantiles(55, 100)
"""A few conversations; 125 s with the share that is left beside them, and 15 minutes of margin."""
LARGE = Quantiles(2 * HOUR, 2.4 * HOUR)
"""About 10,000 conversations; three hours with the share that is left beside them."""


def plan(
    hours: float, realtime: Quantiles = SMALL, *, capped: bool = False, unavailable: bool = False
) -> DeadlinePlan:
    return plan_deadline(
        START + timedelta(hours=hours),
        START,
        realtime=realtime,
        economy=ECONOMY,
        capped=capped,
        unavailable=unavailable,
    )


def minutes_to(moment: datetime | None) -> float | None:
    return None if moment is None else round((moment - START).total_seconds() / 60, 1)


@pytest.mark.parametrize(
    ("hours", "realtime", "lane", "switch_min"),
    [
        (0.1, SMALL, "realtime", None),
        (1, SMALL, "realtime", None),
        (1.5, SMALL, "economy", 72.9),
        (6, SMALL, "economy", 342.9),
        (48, SMALL, "economy", 2862.9),
        (72, SMALL, "economy", None),
        (1, LARGE, "realtime", None),
        (4, LARGE, "realtime", None),
        (6, LARGE, "economy", 165),
        (47, LARGE, "economy", 2625),
        (49, LARGE, "economy", None),
    ],
)
def test_the_lane_follows_from_the_size_and_the_time_that_is_left(
    hours: float, realtime: Quantiles, lane: str, switch_min: float | None
) -> None:
    chosen = plan(hours, realtime)
    assert (chosen.lane, minutes_to(chosen.switch_at)) == (lane, switch_min)
    assert chosen.notice is None or lane == "realtime"


def test_the_economy_lane_begins_where_it_has_the_hour_that_most_message_batches_take() -> None:
    writing_s = SMALL.p90 * 1.25 + MARGIN.total_seconds()
    just = (BATCHED_SECONDS + writing_s) / HOUR
    assert plan(just).lane == "economy"
    assert plan(just - 1 / HOUR).lane == "realtime"


def test_the_economy_lane_is_enough_alone_where_a_day_and_a_repair_of_a_day_fit() -> None:
    longest = (2 * MOST_BATCHED_SECONDS + MARGIN.total_seconds()) / HOUR
    assert plan(longest).switch_at is None
    assert plan(longest - 1 / HOUR).switch_at is not None


def test_a_capped_batch_goes_in_waves_so_that_the_economy_lane_may_always_be_late() -> None:
    assert plan(100).switch_at is None
    assert plan(100, capped=True).switch_at is not None


def test_without_an_economy_lane_it_is_realtime_and_says_so() -> None:
    chosen = plan(100, unavailable=True)
    assert (chosen.lane, [end.lane for end in chosen.ends]) == ("realtime", ["realtime"])
    assert "no economy lane" in chosen.reason


def test_each_lane_says_when_it_would_end() -> None:
    realtime, economy = plan(6, LARGE).ends
    assert (minutes_to(realtime.likely), minutes_to(realtime.latest)) == (120, 144)
    assert (minutes_to(economy.likely), minutes_to(economy.latest)) == (60, 48 * 60 + 15)


def test_a_change_of_lanes_is_told_with_its_time_and_its_reason() -> None:
    assert plan(6, LARGE).reason == (
        "Economy first, at half the price, since most Message Batches end within 1 h 00 min; what "
        "Claude has not answered by 2026-11-21 14:45 UTC is cancelled there and written in "
        "realtime: all of it takes up to 2 h 24 min in nine of ten batches, and a quarter of that "
        "and 15 min are left beside it."
    )


def test_a_time_that_not_even_realtime_makes_is_accepted_and_said() -> None:
    chosen = plan(1, LARGE)
    assert chosen.lane == "realtime"
    assert chosen.notice is not None
    assert chosen.notice.startswith("Not even realtime is likely to be done by 2026-11-21 13:00")
    assert "until about 2026-11-21 14:00 UTC" in chosen.notice


def test_a_time_that_one_of_ten_batches_misses_is_said() -> None:
    assert "one of ten" in str(plan(2.2, LARGE).notice)
    assert plan(2.5, LARGE).notice is None


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(seconds=-1), timedelta(days=-400)])
def test_a_time_that_is_past_is_refused(ahead: timedelta) -> None:
    with pytest.raises(InvalidInputError, match="doneBy: This time is past"):
        plan(ahead.total_seconds() / HOUR)


def test_a_time_that_is_too_far_ahead_is_refused() -> None:
    most = MOST_AHEAD.total_seconds() / HOUR
    assert plan(most).lane == "economy"
    with pytest.raises(InvalidInputError, match="within 30 days"):
        plan(most + 1)


def test_a_time_in_another_zone_is_the_same_moment() -> None:
    there = (START + timedelta(hours=6)).astimezone(timezone(timedelta(hours=9)))
    assert plan_deadline(there, START, realtime=SMALL, economy=ECONOMY) == plan(6)


@pytest.mark.parametrize("year", [1, 9999])
@pytest.mark.parametrize("hours", [-23, 0, 23])
def test_a_moment_that_utc_cannot_tell_is_no_more_than_refused(year: int, hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    moment = datetime(year, 1, 1, tzinfo=zone) if year == 1 else datetime(year, 12, 31, tzinfo=zone)
    with pytest.raises(InvalidInputError, match="doneBy"):
        plan_deadline(moment, START, realtime=SMALL, economy=ECONOMY)
