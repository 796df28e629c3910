"""Notifications of a training job's owner, with v1's types and priorities."""

from __future__ import annotations

from datetime import datetime

from brightrun.core.timestamps import iso
from brightrun.notifications.model import Notification, NotificationType, Priority, notification_id
from brightrun.training.adapters.model import ModelArtifact
from brightrun.training.model import TrainingJob


def job_queued(job: TrainingJob, now: datetime) -> Notification:
    """The job was created."""
    message = f"The training job '{job.name}' on the dataset '{job.dataset_name}' is queued."
    return _notification(job, now, "job_queued", "Training Job Queued", message, "low")


def job_started(job: TrainingJob, now: datetime) -> Notification:
    """The job has its instances, and SageMaker bills."""
    billing = job.billing
    message = (
        f"The training job '{job.name}' runs on {billing.instances} x {billing.instance_type}."
    )
    return _notification(job, now, "job_started", "Training Started", message, "medium")


def job_ended(job: TrainingJob, model: ModelArtifact | None, now: datetime) -> list[Notification]:
    """The job has ended; its owner was notified of a cancellation when it was requested."""
    if model is not None:
        return [job_completed(job, model, now), artifact_ready(job, model, now)]
    return [job_failed(job, now)] if job.status == "failed" else []


def job_completed(job: TrainingJob, model: ModelArtifact, now: datetime) -> Notification:
    """The job has delivered its adapter; whether it was worth it comes first."""
    message = (
        f"{model.verdict['headline']} The training job '{job.name}' is complete; it cost "
        f"${job.final_cost or 0:.2f}."
    )
    return _notification(job, now, "job_completed", "Training Complete", message, "high")


def job_failed(job: TrainingJob, now: datetime) -> Notification:
    """The job has failed; the job holds the reason and a hint."""
    reason = job.error_message or "The training ended without an adapter."
    hint = f" {job.error_hint}" if job.error_hint else ""
    message = f"The training job '{job.name}' failed: {reason}{hint}"
    return _notification(job, now, "job_failed", "Training Failed", message, "high")


def job_cancelled(job: TrainingJob, now: datetime) -> Notification:
    """The job was cancelled by its owner."""
    message = f"The training job '{job.name}' was cancelled."
    return _notification(job, now, "job_cancelled", "Job Cancelled", message, "medium")


def artifact_ready(job: TrainingJob, model: ModelArtifact, now: datetime) -> Notification:
    """The adapter can be downloaded; its verdict first, and its score if it has one."""
    score = model.verdict["score"]
    rating = "" if score is None else f" Its score is {score}/5."
    return Notification(
        owner_id=job.owner_id,
        notification_id=notification_id(iso(now), "artifact_ready", model.model_id),
        type="artifact_ready",
        title="Model Ready for Download",
        message=f"{model.verdict['headline']} The adapter '{model.name}' can be downloaded."
        f"{rating}",
        priority="high",
        action_url=f"/models/{model.model_id}",
        created_at=iso(now),
        metadata={"artifact_id": model.model_id, "job_id": job.job_id},
    )


def _notification(
    job: TrainingJob,
    now: datetime,
    type_: NotificationType,
    title: str,
    message: str,
    priority: Priority,
) -> Notification:
    metadata = {"job_id": job.job_id, "dataset_name": job.dataset_name, "status": job.status}
    if job.final_cost is not None:
        metadata["final_cost"] = str(job.final_cost)
    return Notification(
        owner_id=job.owner_id,
        notification_id=notification_id(iso(now), type_, job.job_id),
        type=type_,
        title=title,
        message=message,
        priority=priority,
        action_url=f"/training/jobs/{job.job_id}",
        created_at=iso(now),
        metadata=metadata,
    )
