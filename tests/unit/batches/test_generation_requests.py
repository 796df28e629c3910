"""What a batch's request may ask of its workers."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from brightrun.batches.generation_schemas import BatchBody
from brightrun.batches.model import MAX_CALLS_PER_WORKER

BATCH = {
    "name": "x",
    "selection": {"personas": "all", "emotional_arcs": "all", "training_topics": "all"},
}


def test_calls_per_worker_are_handed_on_to_the_order() -> None:
    asked = BatchBody.model_validate({**BATCH, "callsPerWorker": 10})
    assert asked.order().calls_per_worker == 10


def test_without_a_wish_a_worker_makes_as_many_calls_as_it_can() -> None:
    assert BatchBody.model_validate(BATCH).order().calls_per_worker is None


@pytest.mark.parametrize("calls", [0, MAX_CALLS_PER_WORKER + 1, "10", 2.5])
def test_calls_per_worker_out_of_bounds_are_refused_by_name(calls: object) -> None:
    with pytest.raises(ValidationError, match="callsPerWorker"):
        BatchBody.model_validate({**BATCH, "callsPerWorker": calls})
