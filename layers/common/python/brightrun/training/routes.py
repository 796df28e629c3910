"""The routes that create, show and cancel training jobs."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.http.app import owner_of, service
from brightrun.http.schemas import Cursor, IdempotencyKey, Limit, RecordId
from brightrun.training.create_training_job import TrainingJobCreator
from brightrun.training.model import JobStatus
from brightrun.training.schemas import (
    TrainingEvents,
    TrainingJobBody,
    TrainingJobDetails,
    TrainingJobList,
    TrainingJobResponse,
    TrainingMetrics,
)
from brightrun.training.service import TrainingCanceller, TrainingJobReader

router = APIGatewayHttpRouter()
JOBS = "/api/jobs"
TAGS = ["Training jobs"]
PointsLimit = Annotated[int, Query(ge=1, le=1000, description="How many points one page holds.")]


@router.post(JOBS, status_code=201, tags=TAGS)
def create_training_job(
    body: TrainingJobBody, idempotency_key: IdempotencyKey = None
) -> TrainingJobResponse:
    """Train an adapter on a dataset that is ready, at the current price and with an estimate.

    A GPU type, a base model or a budget that cannot produce an adapter is refused with the reason.
    """
    creator = service(router, TrainingJobCreator)
    return TrainingJobResponse.from_domain(
        creator.create(owner_of(router), body.to_request(), idempotency_key)
    )


@router.get(JOBS, tags=TAGS)
def list_training_jobs(
    status: Annotated[JobStatus | None, Query()] = None,
    limit: Limit = 25,
    cursor: Cursor = None,
) -> TrainingJobList:
    """List the caller's training jobs, newest first."""
    reader = service(router, TrainingJobReader)
    return TrainingJobList.from_domain(
        reader.page(owner_of(router), status=status, limit=limit, cursor=cursor)
    )


@router.get(f"{JOBS}/<job_id>", tags=TAGS)
def show_training_job(job_id: RecordId) -> TrainingJobDetails:
    """Show a job with its last 100 points and, once it has ended, its cost record."""
    reader = service(router, TrainingJobReader)
    return TrainingJobDetails.from_domain(reader.details(owner_of(router), job_id))


@router.get(f"{JOBS}/<job_id>/metrics", tags=TAGS)
def list_training_metrics(
    job_id: RecordId, limit: PointsLimit = 1000, cursor: Cursor = None
) -> TrainingMetrics:
    """List a job's metrics points in the order of the run."""
    reader = service(router, TrainingJobReader)
    return TrainingMetrics.from_domain(
        reader.metrics(owner_of(router), job_id, limit=limit, cursor=cursor)
    )


@router.get(f"{JOBS}/<job_id>/events", tags=TAGS)
def list_training_events(
    job_id: RecordId, limit: Limit = 25, cursor: Cursor = None
) -> TrainingEvents:
    """List a job's events, oldest first."""
    reader = service(router, TrainingJobReader)
    return TrainingEvents.from_domain(
        reader.events(owner_of(router), job_id, limit=limit, cursor=cursor)
    )


@router.post(f"{JOBS}/<job_id>/cancel", tags=TAGS)
def cancel_training_job(job_id: RecordId) -> TrainingJobResponse:
    """Cancel a job; repeating it changes nothing. The bill is closed when SageMaker has stopped."""
    canceller = service(router, TrainingCanceller)
    return TrainingJobResponse.from_domain(canceller.cancel(owner_of(router), job_id))
