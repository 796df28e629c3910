"""Errors: their shape, and what they and the log never tell."""

from __future__ import annotations

import io
import json
from itertools import chain
from typing import Any

import pytest

from brightrun.batches.model import JobStatus
from brightrun.core.errors import (
    ContentionError,
    LeaseLostError,
    StorageError,
    VersionConflictError,
)
from brightrun.wiring import clients
from infra.routes import ROUTES
from tests.builders import OWNER
from tests.handlers.events import http_event
from tests.handlers.gateway import HANDLERS, Answer, Api
from tests.handlers.seeds import Seeds, StartedRuns

CANARY = "my-private-words-6f1d"
BATCH = "POST /api/conversations/generate-batch"
ROC = {
    "persona_id": "overwhelmed_avoider",
    "emotional_arc_id": "confusion_to_clarity",
    "training_topic_id": "roth_ira_conversion",
}
ORDER = {"name": CANARY, "parameterSets": [{"parameters": ROC}]}
FUNCTION_OF = {route: name for name, routes in ROUTES.items() for route in routes}


def failing_with(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(clients, "dynamodb", fails)


def is_problem(answer: Answer, status: int, code: str) -> bool:
    body = answer.body
    return (
        answer.status == body["status"] == status
        and answer.headers["Content-Type"] == "application/problem+json"
        and body["type"] == f"urn:brightrun:problem:{code}"
        and body["code"] == code
        and body["success"] is False
        and body["detail"] == body["error"]
        and body.keys()
        == {"type", "title", "status", "detail", "success", "error", "code", "details"}
    )


def test_every_kind_of_refusal_has_the_same_shape(
    api: Api, seeds: Seeds, runs: StartedRuns
) -> None:
    done = seeds.job(1, status=JobStatus.COMPLETED).job_id
    key = {"Idempotency-Key": "k"}
    api(BATCH, ORDER, headers=key)
    assert is_problem(api(BATCH, {}), 400, "invalid_request")
    assert is_problem(api(f"POST /api/batch-jobs/{done}/cancel"), 400, "action_not_allowed")
    assert is_problem(api("GET /api/batch-jobs/none"), 404, "not_found")
    assert is_problem(
        api(BATCH, {**ORDER, "name": "other"}, headers=key), 422, "idempotency_key_reused"
    )
    taken = api(
        "PATCH /api/scaffolding/personas/anxious_planner",
        {"name": "n"},
        headers={"If-Match": '"v7"'},
    )
    assert is_problem(taken, 409, "version_conflict")
    assert taken.body["details"]["version"] == 1


def test_the_title_is_the_statuss_own_phrase(api: Api) -> None:
    assert api("GET /api/batch-jobs/none").body["title"] == "Not Found"


@pytest.mark.parametrize("route", sorted(chain.from_iterable(ROUTES.values())))
def test_a_route_without_an_authorizer_tells_nobody_anything(
    api: Api, runs: StartedRuns, route: str
) -> None:
    method = route.partition(" ")[0]
    body = {"GET": None, "DELETE": None}.get(method, b"{}")
    for claims in (None, {}, {"email": "a@b.c"}, {"sub": ""}):
        event = http_event(
            route,
            route.partition(" ")[2].replace("{id}", "any"),
            parameters={"id": "any"},
            headers={"Content-Type": "application/json"},
            body=body,
            claims=claims,
        )
        answer = HANDLERS[FUNCTION_OF[route]].lambda_handler(event, None)
        assert answer["statusCode"] in {400, 500}
        assert "authorizer" not in answer["body"]


def test_a_deployment_without_an_authorizer_is_a_500(api: Api) -> None:
    event = http_event("GET /api/batch-jobs", "/api/batch-jobs", claims=None)
    answer = HANDLERS["batch_jobs"].lambda_handler(event, None)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (500, "internal_error")


def test_contention_passes_and_is_no_failure_of_a_service(
    api: Api, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    failing_with(ContentionError("UpdateItem", CANARY), monkeypatch)
    for answer in (api(BATCH, ORDER), api("POST /api/notifications/read-all")):
        assert is_problem(answer, 409, "contention")
        assert answer.headers["Retry-After"] == "1"
        assert CANARY not in answer.text
    assert "ERROR" not in log.getvalue()


@pytest.mark.parametrize(
    ("headers", "wait"), [({}, "1"), ({"If-Match": '"v1"'}, None)], ids=["without", "with If-Match"]
)
def test_a_change_that_another_one_overtook_can_be_repeated_where_it_named_no_version(
    api: Api, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], wait: str | None
) -> None:
    failing_with(VersionConflictError("It has changed."), monkeypatch)
    answer = api("PATCH /api/scaffolding/personas/anxious_planner", {"name": "n"}, headers=headers)
    assert is_problem(answer, 409, "version_conflict")
    assert answer.headers.get("Retry-After") == wait


@pytest.mark.parametrize("error", [RuntimeError(CANARY), KeyError(CANARY), LeaseLostError(CANARY)])
def test_a_surprise_is_a_500_without_internals(
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    log: io.StringIO,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
) -> None:
    failing_with(error, monkeypatch)
    for answer in (
        api(BATCH, ORDER),
        api("GET /api/batch-jobs"),
        api("POST /api/batch-jobs/any/cancel"),
        api("GET /api/conversations"),
    ):
        assert is_problem(answer, 500, "internal_error")
        assert CANARY not in answer.text
        assert type(error).__name__ not in answer.text
    printed = capsys.readouterr()
    assert CANARY not in log.getvalue() + printed.out + printed.err
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert {line["error_type"] for line in lines} == {type(error).__name__}
    assert any("test_problems.py" in step for step in lines[0]["at"])


def test_storage_that_fails_is_a_503_and_the_log_says_which(
    api: Api, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    failing_with(StorageError("PutItem", "ThrottlingException"), monkeypatch)
    answer = api(BATCH, ORDER)
    assert is_problem(answer, 503, "storage_unavailable")
    assert answer.headers["Retry-After"] == "1"
    assert "PutItem" not in answer.text
    assert "PutItem failed: ThrottlingException" in log.getvalue()
    assert CANARY not in log.getvalue()


def test_what_a_caller_sends_is_never_logged(
    api: Api, runs: StartedRuns, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    api(BATCH, ORDER, headers={"Idempotency-Key": CANARY, "Authorization": CANARY})
    api(BATCH, {**ORDER, CANARY: CANARY})
    api(BATCH, raw=CANARY.encode(), headers={"Content-Type": "application/json"})
    api(f"GET /api/batch-jobs/{CANARY}", query={"status": CANARY})
    api("POST /api/scaffolding/check-compatibility", {**ROC, "persona_id": CANARY})
    printed = capsys.readouterr()
    assert CANARY not in log.getvalue() + printed.out + printed.err


def test_an_answer_that_breaks_its_own_shape_is_kept_back(
    api: Api, seeds: Seeds, log: io.StringIO
) -> None:
    stored = seeds.conversation(conversation_name=CANARY, status="somewhere_else")
    answer = api(f"GET /api/conversations/{stored.conversation_id}", owner=OWNER)
    assert is_problem(answer, 500, "internal_error")
    assert CANARY not in answer.text + log.getvalue()
    assert "error_type" in log.getvalue()


def test_no_answer_may_be_cached_or_read_as_something_else(api: Api) -> None:
    for answer in (
        api("GET /api/batch-jobs"),
        api("GET /api/batch-jobs/none"),
        api(BATCH, {}),
        api(BATCH, raw=b"x", headers={"Content-Type": "text/plain"}),
    ):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_path_that_a_function_does_not_know_is_a_404(api: Api) -> None:
    event = http_event("GET /api/unknown", "/api/unknown", claims={"sub": OWNER})
    for handler in HANDLERS.values():
        answer = handler.lambda_handler(event, None)
        assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (404, "no_such_route")
