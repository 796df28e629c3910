"""Finished jobs, with the estimate that they were created with."""

from __future__ import annotations

import dataclasses
from typing import Any

from brightrun.estimates.model import Estimate
from brightrun.training.model import TrainingJob
from tests.fakes.training_jobs import a_training_job
from tests.unit.estimates.estimating import estimated

SLOWNESS = 1.5
REST_S = 150.0


def a_finished_job(
    made_with: Estimate | None = None,
    *,
    job_id: str = "job-1",
    slowness: float = SLOWNESS,
    rest_s: float = REST_S,
    **changes: Any,
) -> TrainingJob:
    """A job whose training took `slowness` times what was predicted, and the rest `rest_s`."""
    known = made_with or estimated()
    one = known.prediction
    train_s = one.raw_train_s * slowness
    billed = round(train_s + rest_s)
    job = a_training_job(
        job_id,
        gpu_config=one.plan.gpu,
        billing=one.billing,
        estimate=known.as_dict(),
        status="completed",
        results={"steps": 30, "total_steps": 30, "train_seconds": train_s},
        billed_seconds=billed,
        final_cost=round(billed * one.billing.usd_per_hour / 3600, 2),
        settled=True,
    )
    return dataclasses.replace(job, **changes)
