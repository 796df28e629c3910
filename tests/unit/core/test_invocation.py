"""One id ties a request to its workflow, calls and training job, in every line of the log."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace
from typing import Any

import pytest

from brightrun.core.invocation import correlation_id, invocation
from brightrun.core.logging import logger
from brightrun.core.metrics import measure

CONTEXT = SimpleNamespace(aws_request_id="invocation-1")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"requestContext": {"requestId": "Nx3yR"}, "body": "{}"}, "Nx3yR"),
        ({"ownerId": "o", "jobId": "job-1", "run": 1}, "job-1"),
        ({"ownerId": "o", "datasetId": "dataset-1"}, "dataset-1"),
        ({"ownerId": "o", "fileId": "file-1", "attempt": 2}, "file-1"),
        ({"id": "event-1", "detail": {"TrainingJobName": "brightrun-job-1"}}, "job-1"),
        ({"id": "event-2", "detail": {}}, "event-2"),
        ({}, None),
    ],
)
def test_an_event_belongs_to_what_it_names(event: dict[str, Any], expected: str | None) -> None:
    assert correlation_id(event) == expected


def test_every_line_of_an_invocation_has_its_id_and_the_next_one_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = io.StringIO()
    monkeypatch.setattr(logger().registered_handler, "stream", log)

    @invocation
    def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        if event["jobId"] == "job-1":
            logger().append_keys(left_over=True)
        logger().warning("something")
        return {}

    handler({"jobId": "job-1"}, CONTEXT)
    handler({"jobId": "job-2"}, CONTEXT)
    first, second = (json.loads(line) for line in log.getvalue().splitlines())
    assert (first["correlation_id"], second["correlation_id"]) == ("job-1", "job-2")
    assert first["function_request_id"] == "invocation-1"
    assert "left_over" not in second


def test_metrics_are_written_when_the_invocation_fails_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @invocation
    def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
        measure("ClaudeCalls", 3)
        raise RuntimeError("out of time")

    with pytest.raises(RuntimeError, match="out of time"):
        handler({}, CONTEXT)
    line = json.loads(capsys.readouterr().out)
    assert line["ClaudeCalls"] == [3.0]
