"""The routes that show failed generations and the generation log."""

from __future__ import annotations

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun import bootstrap
from brightrun.api.app import owner_of
from brightrun.api.conversation_models import DownloadAnswer
from brightrun.api.generation_record_models import (
    CostStatistics,
    FailureAnswer,
    FailureList,
    FailureView,
    LogEntryList,
    PerformanceStatistics,
)
from brightrun.api.shapes import Cursor, Day, Filter, Limit, RecordId
from brightrun.domain.generation_records import FailureType
from brightrun.domain.moments import Days

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
    asked = {
        "failure_type": failure_type,
        "stop_reason": stop_reason,
        "truncation_pattern": truncation_pattern,
        "run_id": run_id,
    }
    filters = {name: value for name, value in asked.items() if value is not None}
    reader = bootstrap.conversation_reader()
    days = Days(date_from, date_to)
    page = reader.failures(owner_of(router), filters, days, limit=limit, cursor=cursor)
    return FailureList.of(page)


@router.get("/api/failed-generations/<failure_id>", tags=["Failures"])
def show_failed_generation(failure_id: RecordId) -> FailureAnswer:
    """Show one failed generation."""
    failure = bootstrap.conversation_reader().failure(owner_of(router), failure_id)
    return FailureAnswer(failure=FailureView.model_validate(failure))


@router.get("/api/failed-generations/<failure_id>/download", tags=["Failures"])
def download_failure_report(failure_id: RecordId) -> DownloadAnswer:
    """Give a link to a failure's whole report: prompt, answer and analysis."""
    reader = bootstrap.conversation_reader()
    return DownloadAnswer.model_validate(reader.failure_report(owner_of(router), failure_id))


@router.get("/api/generation-logs", tags=["Generation log"])
def list_generation_logs(limit: Limit = 25, cursor: Cursor = None) -> LogEntryList:
    """List the caller's calls to Claude, newest first."""
    reader = bootstrap.conversation_reader()
    return LogEntryList.of(reader.log_entries(owner_of(router), limit=limit, cursor=cursor))


@router.get("/api/generation-logs/stats", tags=["Generation log"])
def show_generation_statistics(
    type: Annotated[Literal["cost", "performance"], Query()] = "cost",  # noqa: A002
) -> CostStatistics | PerformanceStatistics:
    """Add up the caller's calls to Claude: what they cost, or how long they took."""
    sums = bootstrap.conversation_reader().statistics(owner_of(router))
    return CostStatistics.of(sums) if type == "cost" else PerformanceStatistics.of(sums)
