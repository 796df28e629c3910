"""Routes of failed generations and of the generation log."""

from __future__ import annotations

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.conversations.generation_log.model import CallKind, CallStatus, FailureType
from brightrun.conversations.generation_log.schemas import (
    CostStatistics,
    FailureList,
    FailureResponse,
    LogEntryList,
    PerformanceStatistics,
)
from brightrun.conversations.generation_log.service import GenerationLogReader
from brightrun.conversations.schemas import DownloadResponse
from brightrun.core.timestamps import DateRange
from brightrun.http.app import owner_of, service
from brightrun.http.schemas import Cursor, Day, Filter, Limit, RecordId

router = APIGatewayHttpRouter()


@router.get("/api/failed-generations", tags=["Failures"])
def list_failed_generations(
    failure_type: Annotated[FailureType | None, Query()] = None,
    stop_reason: Filter = None,
    truncation_pattern: Filter = None,
    run_id: Filter = None,
    date_from: Day = None,
    date_to: Day = None,
    limit: Limit = 25,
    cursor: Cursor = None,
) -> FailureList:
    """List the caller's failed generations, newest first; run_id is a batch job's id."""
    given = {
        "failure_type": failure_type,
        "stop_reason": stop_reason,
        "truncation_pattern": truncation_pattern,
        "run_id": run_id,
    }
    filters = {name: value for name, value in given.items() if value is not None}
    reader = service(router, GenerationLogReader)
    days = DateRange(date_from, date_to)
    page = reader.failures(owner_of(router), filters, days, limit=limit, cursor=cursor)
    return FailureList(failures=page.records, count=len(page.records), next_cursor=page.next_cursor)


@router.get("/api/failed-generations/<failure_id>", tags=["Failures"])
def show_failed_generation(failure_id: RecordId) -> FailureResponse:
    """Show one failed generation."""
    failure = service(router, GenerationLogReader).failure(owner_of(router), failure_id)
    return FailureResponse(failure=failure)


@router.get("/api/failed-generations/<failure_id>/download", tags=["Failures"])
def download_failure_report(failure_id: RecordId) -> DownloadResponse:
    """Return a link to a failure's full report: prompt, answer and analysis."""
    reader = service(router, GenerationLogReader)
    return DownloadResponse.model_validate(reader.failure_report(owner_of(router), failure_id))


@router.get("/api/generation-logs", tags=["Generation log"])
def list_generation_logs(
    status: Annotated[CallStatus | None, Query()] = None,
    kind: Annotated[CallKind | None, Query()] = None,
    model_used: Filter = None,
    run_id: Filter = None,
    date_from: Day = None,
    date_to: Day = None,
    limit: Limit = 25,
    cursor: Cursor = None,
) -> LogEntryList:
    """List the caller's calls to Claude, newest first; run_id is a batch job's id.

    A page of a filtered list may be short, or empty, and still have a cursor.
    """
    given = {"status": status, "kind": kind, "model_used": model_used, "run_id": run_id}
    filters = {name: value for name, value in given.items() if value is not None}
    reader = service(router, GenerationLogReader)
    days = DateRange(date_from, date_to)
    page = reader.log_entries(owner_of(router), filters, days, limit=limit, cursor=cursor)
    return LogEntryList(logs=page.records, count=len(page.records), next_cursor=page.next_cursor)


@router.get("/api/generation-logs/stats", tags=["Generation log"])
def show_generation_statistics(
    type: Annotated[Literal["cost", "performance"], Query()] = "cost",  # noqa: A002
) -> CostStatistics | PerformanceStatistics:
    """Show the total cost of the caller's calls to Claude, or their durations."""
    sums = service(router, GenerationLogReader).statistics(owner_of(router))
    return (
        CostStatistics.from_domain(sums)
        if type == "cost"
        else PerformanceStatistics.from_domain(sums)
    )
