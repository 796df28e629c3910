"""ListTrainingJobs: filters, order and pages."""

import base64
import binascii
import json
from collections.abc import Iterable
from typing import Any

from local.sagemaker.errors import invalid
from local.sagemaker.training_job import TrainingJob

DEFAULT_PAGE = 10
_SUMMARY = (
    "TrainingJobName",
    "TrainingJobArn",
    "CreationTime",
    "TrainingEndTime",
    "LastModifiedTime",
    "TrainingJobStatus",
    "SecondaryStatus",
)
_SORTED_BY = {
    "CreationTime": "CreationTime",
    "Name": "TrainingJobName",
    "Status": "TrainingJobStatus",
}


def list_jobs(jobs: Iterable[TrainingJob], request: dict[str, Any]) -> dict[str, Any]:
    """Return one page of summaries; raises RequestRefused for a token of no page."""
    column = _SORTED_BY[request.get("SortBy", "CreationTime")]
    backwards = request.get("SortOrder") == "Descending"
    found = [job for job in jobs if _matches(job.description, request)]
    found.sort(key=lambda job: _position(job, column), reverse=backwards)
    if "NextToken" in request:
        after = _decoded(request["NextToken"], column)
        found = [job for job in found if _is_after(_position(job, column), after, backwards)]
    size = request.get("MaxResults", DEFAULT_PAGE)
    page = found[:size]
    answer: dict[str, Any] = {"TrainingJobSummaries": [_summary(job) for job in page]}
    if len(found) > size:
        answer["NextToken"] = _encoded(_position(page[-1], column), column)
    return answer


def _matches(description: dict[str, Any], request: dict[str, Any]) -> bool:
    created, changed = description["CreationTime"], description["LastModifiedTime"]
    return (
        request.get("NameContains", "") in description["TrainingJobName"]
        and description["TrainingJobStatus"]
        == request.get("StatusEquals", description["TrainingJobStatus"])
        and created > request.get("CreationTimeAfter", 0)
        and created < request.get("CreationTimeBefore", float("inf"))
        and changed > request.get("LastModifiedTimeAfter", 0)
        and changed < request.get("LastModifiedTimeBefore", float("inf"))
    )


def _summary(job: TrainingJob) -> dict[str, Any]:
    return {name: job.description[name] for name in _SUMMARY if name in job.description}


def _position(job: TrainingJob, column: str) -> list[Any]:
    return [job.description[column], job.name]


def _is_after(position: list[Any], after: list[Any], backwards: bool) -> bool:
    return position < after if backwards else position > after


def _encoded(position: list[Any], column: str) -> str:
    return base64.urlsafe_b64encode(json.dumps({column: position}).encode()).decode()


def _decoded(token: str, column: str) -> list[Any]:
    """Return the position that a token holds; one of a listing in another order holds none."""
    try:
        position: list[Any] = json.loads(base64.urlsafe_b64decode(token))[column]
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise invalid("Invalid pagination token given.") from None
    return position
