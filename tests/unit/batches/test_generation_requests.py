"""What a batch request accepts, and what it asks the service for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from brightrun.batches.generation_schemas import BatchBody
from brightrun.batches.model import MAX_CALLS_PER_WORKER

BATCH = {
    "name": "x",
    "selection": {"personas": "all", "emotional_arcs": "all", "training_topics": "all"},
}


def test_calls_per_worker_are_passed_to_the_request() -> None:
    body = BatchBody.model_validate({**BATCH, "callsPerWorker": 10})
    assert body.to_request().calls_per_worker == 10


def test_calls_per_worker_are_chosen_by_default() -> None:
    assert BatchBody.model_validate(BATCH).to_request().calls_per_worker is None


@pytest.mark.parametrize("calls", [0, MAX_CALLS_PER_WORKER + 1, "10", 2.5])
def test_calls_per_worker_out_of_range_are_refused_by_name(calls: object) -> None:
    with pytest.raises(ValidationError, match="callsPerWorker"):
        BatchBody.model_validate({**BATCH, "callsPerWorker": calls})


def test_a_deadline_is_read_with_its_time_zone() -> None:
    body = BatchBody.model_validate({**BATCH, "doneBy": "2026-12-01T18:00:00+01:00"})
    assert body.to_request().done_by == datetime(2026, 12, 1, 17, tzinfo=UTC)
    assert BatchBody.model_validate({**BATCH, "doneBy": None}).to_request().done_by is None


@pytest.mark.parametrize(
    "time",
    [
        "2026-12-01T18:00:00",
        "2026-12-01",
        "tomorrow",
        "2026-13-01T18:00:00Z",
        1_764_000_000,
        "1764000000",
        "",
    ],
)
def test_a_deadline_without_a_zone_or_that_is_no_time_is_refused(time: object) -> None:
    with pytest.raises(ValidationError):
        BatchBody.model_validate({**BATCH, "doneBy": time})


def test_a_lane_and_a_deadline_are_not_given_together() -> None:
    with pytest.raises(ValidationError, match="either lane or doneBy"):
        BatchBody.model_validate({**BATCH, "doneBy": "2026-12-01T18:00:00Z", "lane": "economy"})
