"""What every invocation of a function has: a correlation id in its log, and its metrics written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from brightrun.core.logging import logger
from brightrun.core.metrics import publish

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
_RECORDS = ("jobId", "datasetId", "fileId")
"""What the input of a workflow names its record by."""
_TRAINING_JOB = "brightrun-"


def correlation_id(event: Mapping[str, Any]) -> str | None:
    """The id that ties an event to what it belongs to.

    A request has API Gateway's id, which its access log has as well, and the log line of an
    execution that it starts. A workflow's steps, its calls to Claude and its SageMaker job have
    the id of their record, which is in the names of the execution and of the SageMaker job too.
    """
    if "requestContext" in event:
        return str(event["requestContext"].get("requestId", "")) or None
    for name in _RECORDS:
        if name in event:
            return str(event[name])
    training_job = event.get("detail", {}).get("TrainingJobName", "")
    return training_job.removeprefix(_TRAINING_JOB) or event.get("id")


def invocation(handler: Handler) -> Handler:
    """Decorate a handler: its log lines have the correlation id, its metrics are written."""

    @wraps(handler)
    def observed(event: dict[str, Any], context: Any) -> dict[str, Any]:
        logger().clear_state()
        logger().append_keys(
            correlation_id=correlation_id(event),
            function_request_id=getattr(context, "aws_request_id", None),
        )
        try:
            return handler(event, context)
        finally:
            publish()

    return observed
