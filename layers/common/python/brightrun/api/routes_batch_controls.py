"""The routes that steer batch jobs."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun import bootstrap
from brightrun.api.app import owner_of
from brightrun.api.batch_control_models import (
    CancelAnswer,
    ControlAnswer,
    ControlRequest,
    ProcessNextAnswer,
    RetryAnswer,
)
from brightrun.api.batch_models import JobSummary
from brightrun.api.shapes import RecordId

router = APIGatewayHttpRouter()

_DONE = {"pause": "paused", "resume": "resumed", "cancel": "cancelled"}


@router.patch("/api/conversations/batch/<job_id>", tags=["Batches"])
def control_batch(job_id: RecordId, body: ControlRequest) -> ControlAnswer:
    """Pause, resume or cancel a job."""
    controls = bootstrap.batch_controls()
    job = controls.act(body.action, owner_of(router), job_id)
    message = f"The job is {_DONE[body.action]}."
    return ControlAnswer(job_id=job.job_id, status=job.status, message=message)


@router.post("/api/batch-jobs/<job_id>/cancel", tags=["Batches"])
def cancel_batch(job_id: RecordId) -> CancelAnswer:
    """Cancel a job; what succeeded stays."""
    job = bootstrap.batch_controls().cancel(owner_of(router), job_id)
    return CancelAnswer(message="The job is cancelled.", job=JobSummary.model_validate(job))


@router.post("/api/batch-jobs/<job_id>/retry-failed", tags=["Batches"])
def retry_failed_items(job_id: RecordId) -> RetryAnswer:
    """Queue a job's failed items again."""
    job, requeued = bootstrap.batch_controls().retry_failed(owner_of(router), job_id)
    return RetryAnswer(
        job_id=job.job_id,
        status=job.status,
        requeued=requeued,
        message=f"{requeued} items are queued again.",
    )


@router.post("/api/batch-jobs/<job_id>/process-next", tags=["Batches"])
def process_next(job_id: RecordId) -> ProcessNextAnswer:
    """Make sure that a job's workflow runs, and show where it stands.

    In the original the caller's browser drove the batch through this route; here the workflow does,
    and an old client that calls it in a loop only watches.
    """
    return ProcessNextAnswer.of(bootstrap.batch_controls().nudge(owner_of(router), job_id))
