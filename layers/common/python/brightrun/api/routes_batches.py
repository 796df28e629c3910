"""The routes that show batch jobs."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun import bootstrap
from brightrun.api.app import owner_of
from brightrun.api.batch_item_models import ItemList, LogPage
from brightrun.api.batch_models import JobAnswer, JobList, JobStatusAnswer, JobSummary
from brightrun.api.shapes import Cursor, Limit, RecordId
from brightrun.domain.transitions import ItemStatus, JobStatus

router = APIGatewayHttpRouter()

LogLimit = Annotated[int, Query(ge=1, le=1000, description="How many lines one page holds.")]


@router.get("/api/batch-jobs", tags=["Batches"])
def list_batch_jobs(
    status: Annotated[JobStatus | None, Query()] = None,
    limit: Limit = 25,
    cursor: Cursor = None,
) -> JobList:
    """List the caller's jobs, newest first."""
    lists = bootstrap.batch_views().lists
    return JobList.of(lists.jobs(owner_of(router), status=status, limit=limit, cursor=cursor))


@router.get("/api/batch-jobs/<job_id>", tags=["Batches"])
def show_batch_job(job_id: RecordId) -> JobAnswer:
    """Show one job."""
    job = bootstrap.batch_views().jobs.job(owner_of(router), job_id)
    return JobAnswer(job=JobSummary.model_validate(job))


@router.get("/api/conversations/batch/<job_id>/status", tags=["Batches"])
def show_batch_status(job_id: RecordId) -> JobStatusAnswer:
    """Show how far a job is, and when it will probably be done."""
    job = bootstrap.batch_views().jobs.job(owner_of(router), job_id)
    return JobStatusAnswer.of(job, bootstrap.clock())


@router.get("/api/conversations/batch/<job_id>/items", tags=["Batches"])
def list_batch_items(
    job_id: RecordId,
    status: Annotated[ItemStatus | None, Query()] = None,
    limit: Limit = 25,
    cursor: Cursor = None,
) -> ItemList:
    """List a job's items by position."""
    views, owner = bootstrap.batch_views(), owner_of(router)
    views.jobs.job(owner, job_id)  # A job that is not there has no list, not an empty one.
    return ItemList.of(views.lists.items(owner, job_id, status=status, limit=limit, cursor=cursor))


@router.get("/api/batch-jobs/<job_id>/log", tags=["Batches"])
def read_batch_log(job_id: RecordId, limit: LogLimit = 1000, cursor: Cursor = None) -> LogPage:
    """Read a job's log, oldest line first."""
    views, owner = bootstrap.batch_views(), owner_of(router)
    views.jobs.job(owner, job_id)  # A job that is not there has no list, not an empty one.
    return LogPage.of(views.lists.log(owner, job_id, limit=limit, cursor=cursor))
