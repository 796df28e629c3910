"""What owners are told of their training jobs: the original's table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from brightrun.notifications.model import Notification
from brightrun.training.model import TrainingJob
from brightrun.training.notices import (
    artifact_ready,
    job_cancelled,
    job_completed,
    job_failed,
    job_queued,
    job_started,
)
from tests.builders import OWNER, START
from tests.fakes.training_jobs import a_model, a_training_job

JOB = a_training_job(final_cost=3.456, error_message="Out of memory.", error_hint="Lower the rank.")


@pytest.mark.parametrize(
    ("tell", "type_", "priority", "says"),
    [
        (job_queued, "job_queued", "low", "'Forty conversations' is queued"),
        (job_started, "job_started", "medium", "1 x ml.p5.4xlarge"),
        (job_completed, "job_completed", "high", "it cost $3.46"),
        (job_failed, "job_failed", "high", "Out of memory. Lower the rank."),
        (job_cancelled, "job_cancelled", "medium", "was cancelled"),
    ],
)
def test_each_state_is_told_with_its_priority_and_a_way_to_the_job(
    tell: Callable[[TrainingJob, datetime], Notification], type_: str, priority: str, says: str
) -> None:
    told = tell(JOB, START)
    assert (told.owner_id, told.type, told.priority) == (OWNER, type_, priority)
    assert says in told.message
    assert told.action_url == f"/training/jobs/{JOB.job_id}"
    assert told.metadata["job_id"] == JOB.job_id


def test_the_same_state_of_the_same_moment_is_one_notification() -> None:
    assert job_failed(JOB, START) == job_failed(JOB, START)
    assert job_failed(JOB, START).notification_id != job_cancelled(JOB, START).notification_id


def test_a_job_that_failed_without_a_word_still_says_something() -> None:
    told = job_failed(a_training_job(), START)
    assert told.message.endswith("The training ended without an adapter.")


def test_a_model_is_announced_with_its_score_where_it_has_one() -> None:
    model = a_model(JOB)
    told = artifact_ready(JOB, model, START)
    assert (told.priority, told.action_url) == ("high", f"/models/{model.model_id}")
    assert "4/5" in told.message
    unknown = a_model(JOB, quality_metrics={"overall_score": None})
    assert "/5" not in artifact_ready(JOB, unknown, START).message
