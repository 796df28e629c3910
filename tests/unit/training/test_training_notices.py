"""Notifications of training jobs: v1's types and priorities."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from brightrun.notifications.model import Notification
from brightrun.sft.verdict import HeldOut
from brightrun.training.adapters.model import metrics_of
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


def test_a_finished_job_says_first_whether_its_adapter_is_better_than_its_base() -> None:
    notification = job_completed(JOB, a_model(JOB), START)
    assert (notification.type, notification.priority) == ("job_completed", "high")
    assert notification.message.startswith("Better than its base: held-out loss 1.25 against 1.5")
    assert "it cost $3.46" in notification.message


def test_a_model_is_announced_with_its_verdict_and_its_score() -> None:
    model = a_model(JOB)
    notification = artifact_ready(JOB, model, START)
    assert (notification.priority, notification.action_url) == ("high", f"/models/{model.model_id}")
    assert notification.message.startswith("Better than its base")
    assert "95 % interval -0.3 to -0.2" in notification.message
    assert "4/5" in notification.message


def test_a_model_without_held_out_rows_is_announced_without_a_score() -> None:
    unknown = a_model(JOB, quality_metrics=metrics_of(HeldOut(unmeasured="no_held_out_rows")))
    message = artifact_ready(JOB, unknown, START).message
    assert message.startswith("Not measured: no held-out rows.")
    assert "/5" not in message


def test_a_model_that_is_worse_than_its_base_is_announced_as_that() -> None:
    diverged = HeldOut(12, 12, 900, 1.087, 3.897, 2.5, 3.1)
    worse = a_model(JOB, quality_metrics=metrics_of(diverged))
    for notification in (artifact_ready(JOB, worse, START), job_completed(JOB, worse, START)):
        assert notification.message.startswith("Worse than its base: held-out loss 3.897 against")
