"""Notifications of training jobs: v1's types and priorities."""

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
    ("notify", "type_", "priority", "text"),
    [
        (job_queued, "job_queued", "low", "'Forty conversations' is queued"),
        (job_started, "job_started", "medium", "1 x ml.p5.4xlarge"),
        (job_completed, "job_completed", "high", "it cost $3.46"),
        (job_failed, "job_failed", "high", "Out of memory. Lower the rank."),
        (job_cancelled, "job_cancelled", "medium", "was cancelled"),
    ],
)
def test_each_notification_has_its_priority_and_a_link_to_the_job(
    notify: Callable[[TrainingJob, datetime], Notification], type_: str, priority: str, text: str
) -> None:
    notification = notify(JOB, START)
    assert (notification.owner_id, notification.type, notification.priority) == (
        OWNER,
        type_,
        priority,
    )
    assert text in notification.message
    assert notification.action_url == f"/training/jobs/{JOB.job_id}"
    assert notification.metadata["job_id"] == JOB.job_id


def test_the_same_state_of_the_same_moment_is_one_notification() -> None:
    assert job_failed(JOB, START) == job_failed(JOB, START)
    assert job_failed(JOB, START).notification_id != job_cancelled(JOB, START).notification_id


def test_a_job_that_failed_without_a_reason_still_has_a_message() -> None:
    notification = job_failed(a_training_job(), START)
    assert notification.message.endswith("The training ended without an adapter.")


def test_a_model_is_announced_with_its_score_where_it_has_one() -> None:
    model = a_model(JOB)
    notification = artifact_ready(JOB, model, START)
    assert (notification.priority, notification.action_url) == ("high", f"/models/{model.model_id}")
    assert "4/5" in notification.message
    unknown = a_model(JOB, quality_metrics={"overall_score": None})
    assert "/5" not in artifact_ready(JOB, unknown, START).message
