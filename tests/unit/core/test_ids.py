"""Ids: those that sort by time, and those that are worked out from what they name."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from brightrun.core.ids import (
    NIL_UUID,
    conversation_id,
    first_id_at,
    item_id,
    last_id_at,
    made_at,
    time_ordered_id,
)
from brightrun.core.timestamps import epoch_ms
from tests.builders import START


def _moment(after: timedelta) -> datetime:
    return START + after


times = st.timedeltas(timedelta(0), timedelta(days=36_500)).map(_moment)


@given(earlier=times, later=times)
def test_ids_sort_by_the_millisecond_they_were_made_in(earlier: datetime, later: datetime) -> None:
    first, second = sorted((earlier, later))
    if second - first >= timedelta(milliseconds=1):
        assert time_ordered_id(first) < time_ordered_id(second)


def test_a_time_ordered_id_is_a_uuid_of_version_7_that_holds_its_moment() -> None:
    made = uuid.UUID(time_ordered_id(START))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == epoch_ms(START)


@given(at=times)
def test_the_bounds_of_a_millisecond_hold_the_ids_made_in_it_and_no_others(at: datetime) -> None:
    made = time_ordered_id(at)
    assert first_id_at(at) < made < last_id_at(at) < first_id_at(at + timedelta(milliseconds=1))
    assert abs(made_at(made) - at) < timedelta(milliseconds=1)


def test_before_1970_there_is_no_id() -> None:
    assert first_id_at(datetime(1, 1, 1, tzinfo=UTC)) == NIL_UUID


def test_ids_of_one_millisecond_differ() -> None:
    assert len({time_ordered_id(START) for _ in range(1000)}) == 1000


def test_planning_a_job_twice_gives_its_items_the_same_ids() -> None:
    assert item_id("job-1", 7) == item_id("job-1", 7)


def test_every_item_of_every_job_has_an_id_of_its_own() -> None:
    made = {item_id(job, position) for job in ("job-1", "job-11") for position in range(1, 200)}
    assert len(made) == 2 * 199


def test_every_attempt_of_an_item_writes_the_same_conversation() -> None:
    item = item_id("job-1", 1)
    assert conversation_id(item) == conversation_id(item) != item


def test_the_nil_uuid_is_the_original_systems() -> None:
    assert uuid.UUID(NIL_UUID).int == 0
