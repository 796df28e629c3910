"""Ids: those that sort by time, and those that are worked out from what they name."""

from __future__ import annotations

import uuid
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from brightrun.core.ids import NIL_UUID, conversation_id, item_id, time_ordered_id
from tests.builders import START

times = st.timedeltas(timedelta(0), timedelta(days=36_500)).map(lambda after: START + after)


@given(earlier=times, later=times)
def test_ids_sort_by_the_millisecond_they_were_made_in(earlier: object, later: object) -> None:
    first, second = sorted((earlier, later))  # type: ignore[type-var]
    if (second - first) >= timedelta(milliseconds=1):  # type: ignore[operator]
        assert time_ordered_id(first) < time_ordered_id(second)  # type: ignore[arg-type]


def test_a_time_ordered_id_is_a_uuid_of_version_7_that_holds_its_moment() -> None:
    made = uuid.UUID(time_ordered_id(START))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == int(START.timestamp() * 1000)


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
