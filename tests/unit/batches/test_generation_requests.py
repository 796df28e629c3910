"""The calls per worker in a batch request."""

from __future__ import annotations

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
