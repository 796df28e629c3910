"""The ids of delivered models."""

from __future__ import annotations

import uuid
from datetime import timedelta

from brightrun.core.ids import made_at_ms, time_ordered_id
from brightrun.core.timestamps import epoch_ms
from brightrun.training.adapters.model import model_id_of
from tests.builders import START


def test_a_job_has_one_model_whose_id_is_a_uuid_of_the_jobs_moment() -> None:
    job_id = time_ordered_id(START)
    model_id = model_id_of(job_id)
    assert model_id == model_id_of(job_id) != job_id
    assert uuid.UUID(model_id).version == 7
    assert uuid.UUID(model_id).variant == uuid.RFC_4122
    assert made_at_ms(model_id) == epoch_ms(START)


def test_models_sort_by_the_age_of_their_jobs() -> None:
    jobs = [time_ordered_id(START + timedelta(seconds=n)) for n in range(20)]
    models = [model_id_of(job_id) for job_id in jobs]
    assert models == sorted(models)
    assert len(set(models)) == 20
