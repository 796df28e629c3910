"""The routes that show and control batch jobs."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.batches.control_batch import BatchControls
from brightrun.batches.model import ItemStatus, JobStatus
from brightrun.batches.read_batches import BatchReader
from brightrun.batches.schemas import (
    CancelResponse,
    ControlRequest,
    ControlResponse,
    ItemList,
    JobList,
    JobResponse,
    JobStatusResponse,
    JobSummary,
    LogPage,
    PlannedCombinations,
    ProcessNextResponse,
    QuoteAccuracyResponse,
    RetryResponse,
)
from brightrun.http.app import owner_of, service
from brightrun.http.schemas import Cursor, Limit, RecordId

router = APIGatewayHttpRouter()
_ENTRIES = "How many entries one page holds; lines that were written together are one entry."
LogLimit = Annotated[int, Query(ge=1, le=1000, description=_ENTRIES)]


@router.get("/api/batch-jobs", tags=["Batches"])
def list_batch_jobs(
    status: Annotated[JobStatus | None, Query()] = None,
    limit: Limit = 25,
    cursor: Cursor = None,
) -> JobList:
    """List the caller's jobs, newest first."""
    page = service(router, BatchReader).page(
        owner_of(router), status=status, limit=limit, cursor=cursor
    )
    return JobList.from_domain(page)


@router.get("/api/batch-jobs/planned", tags=["Batches"])
def list_planned_combinations() -> PlannedCombinations:
    """Count what the caller's batches have not written yet, by persona, arc and topic.

    `complete` is false if there are more open jobs than one answer counts.
    """
    return PlannedCombinations.from_domain(service(router, BatchReader).planned(owner_of(router)))


@router.get("/api/batch-jobs/quotes", tags=["Batches"])
def show_quote_accuracy() -> QuoteAccuracyResponse:
    """Compare the quotes of the caller's newest 100 jobs with what they cost."""
    measured = service(router, BatchReader).quote_accuracy(owner_of(router))
    return QuoteAccuracyResponse(accuracy=list(measured))


@router.get("/api/batch-jobs/<job_id>", tags=["Batches"])
def show_batch_job(job_id: RecordId) -> JobResponse:
    """Show one job."""
    job = service(router, BatchReader).one(owner_of(router), job_id)
    return JobResponse(job=JobSummary.model_validate(job))


@router.get("/api/conversations/batch/<job_id>/status", tags=["Batches"])
def show_batch_status(job_id: RecordId) -> JobStatusResponse:
    """Show a job's progress and its estimated remaining time."""
    reader = service(router, BatchReader)
    return JobStatusResponse.from_domain(reader.one(owner_of(router), job_id), reader.clock())


@router.get("/api/conversations/batch/<job_id>/items", tags=["Batches"])
def list_batch_items(
    job_id: RecordId,
    status: Annotated[ItemStatus | None, Query()] = None,
    limit: Limit = 25,
    cursor: Cursor = None,
) -> ItemList:
    """List a job's items by position."""
    page = service(router, BatchReader).items(
        owner_of(router), job_id, status=status, limit=limit, cursor=cursor
    )
    return ItemList.from_domain(page)


@router.get("/api/batch-jobs/<job_id>/log", tags=["Batches"])
def read_batch_log(job_id: RecordId, limit: LogLimit = 1000, cursor: Cursor = None) -> LogPage:
    """Read a job's log, oldest line first."""
    page = service(router, BatchReader).log(owner_of(router), job_id, limit=limit, cursor=cursor)
    return LogPage.from_domain(page)


_RESULTS = {"pause": "paused", "resume": "resumed", "cancel": "cancelled"}


@router.patch("/api/conversations/batch/<job_id>", tags=["Batches"])
def control_batch(job_id: RecordId, body: ControlRequest) -> ControlResponse:
    """Pause, resume or cancel a job."""
    controls = service(router, BatchControls)
    job = controls.act(body.action, owner_of(router), job_id, max_cost_usd=body.max_cost_usd)
    message = f"The job is {_RESULTS[body.action]}."
    return ControlResponse(job_id=job.job_id, status=job.status, message=message)


@router.post("/api/batch-jobs/<job_id>/cancel", tags=["Batches"])
def cancel_batch(job_id: RecordId) -> CancelResponse:
    """Cancel a job; conversations that were generated stay."""
    job = service(router, BatchControls).cancel(owner_of(router), job_id)
    return CancelResponse(message="The job is cancelled.", job=JobSummary.model_validate(job))


@router.post("/api/batch-jobs/<job_id>/retry-failed", tags=["Batches"])
def retry_failed_items(job_id: RecordId) -> RetryResponse:
    """Queue a job's failed items again."""
    job, requeued = service(router, BatchControls).retry_failed(owner_of(router), job_id)
    return RetryResponse(
        job_id=job.job_id,
        status=job.status,
        requeued=requeued,
        message=f"{requeued} items are queued again.",
    )


@router.post("/api/batch-jobs/<job_id>/process-next", tags=["Batches"])
def process_next(job_id: RecordId) -> ProcessNextResponse:
    """Ensure that a job's workflow runs, and show its progress.

    In v1 the browser drove a batch by calling this route in a loop. Here the workflow does, and
    such a client only sees the progress.
    """
    return ProcessNextResponse.from_domain(
        service(router, BatchControls).ensure_running(owner_of(router), job_id)
    )
