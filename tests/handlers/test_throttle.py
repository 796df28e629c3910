"""How many requests one user may make in a minute of one process, and what the others notice."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from brightrun.http.throttle import MOST_CALLERS, REQUESTS_PER_USER, OwnerThrottle
from cli.retry import RetryPolicy
from tests.builders import OWNER, STRANGER
from tests.handlers.events import http_event
from tests.handlers.gateway import HANDLERS

START_MS = 1_795_262_400_000
ROUTE = "GET /api/batch-jobs"


def event(owner: str | None, at_ms: int, limit: str | None) -> dict[str, Any]:
    claims = None if owner is None else {"sub": owner}
    made = http_event(ROUTE, "/api/batch-jobs", claims=claims)
    made["requestContext"]["timeEpoch"] = at_ms
    return made if limit is None else {**made, "stageVariables": {REQUESTS_PER_USER: limit}}


def asked(
    throttle: OwnerThrottle, at_ms: int = START_MS, *, owner: str | None = OWNER, limit: str = "60"
) -> bool:
    return throttle.problem(event(owner, at_ms, limit)) is None


def test_a_user_has_a_minutes_requests_at_once_and_then_one_a_second() -> None:
    throttle = OwnerThrottle()
    assert [asked(throttle) for _ in range(61)] == [True] * 60 + [False]
    assert not asked(throttle, START_MS + 999)
    assert asked(throttle, START_MS + 1000)
    assert not asked(throttle, START_MS + 1001)


def test_another_user_notices_nothing_of_it() -> None:
    throttle = OwnerThrottle()
    while asked(throttle):
        pass
    assert asked(throttle, owner=STRANGER)


@given(
    gaps_ms=some.lists(some.integers(-50, 3000), max_size=300),
    limit=some.integers(1, 600),
)
def test_no_minute_has_more_than_twice_the_limit_whatever_the_order_of_times(
    gaps_ms: list[int], limit: int
) -> None:
    throttle, now_ms, allowed = OwnerThrottle(), START_MS, []
    for gap_ms in gaps_ms:
        now_ms += gap_ms
        if asked(throttle, now_ms, limit=str(limit)):
            allowed.append(now_ms)
    for begin in allowed:
        assert sum(begin <= one < begin + 60_000 for one in allowed) <= 2 * limit


@pytest.mark.parametrize("limit", [None, "0"])
def test_without_a_limit_nobody_is_refused(limit: str | None) -> None:
    throttle = OwnerThrottle()
    assert all(throttle.problem(event(OWNER, START_MS, limit)) is None for _ in range(5000))


def test_a_route_without_a_caller_is_not_counted() -> None:
    throttle = OwnerThrottle()
    assert all(asked(throttle, owner=None, limit="1") for _ in range(10))


def test_a_process_remembers_only_so_many_callers() -> None:
    throttle = OwnerThrottle()
    assert asked(throttle, limit="1")
    assert not asked(throttle, limit="1")
    for number in range(MOST_CALLERS):
        asked(throttle, owner=f"caller-{number}", limit="1")
    assert asked(throttle, limit="1")


@pytest.mark.usefixtures("api")
def test_the_refusal_is_a_problem_that_says_when_to_come_again_and_the_cli_does() -> None:
    throttled = event("a-busy-owner", START_MS, "1")
    answers = [HANDLERS["scaffolding"].lambda_handler(_personas(throttled), None) for _ in "12"]
    assert [answer["statusCode"] for answer in answers] == [200, 429]
    refused = answers[1]
    assert refused["headers"]["Content-Type"] == "application/problem+json"
    assert json.loads(refused["body"])["code"] == "too_many_requests"
    wait_s = RetryPolicy(patience_s=60).wait_s(1, refused["headers"]["Retry-After"])
    assert wait_s == 60


def _personas(made: dict[str, Any]) -> dict[str, Any]:
    path = "/api/scaffolding/personas"
    http = {**made["requestContext"]["http"], "path": path}
    context = {**made["requestContext"], "http": http, "routeKey": f"GET {path}"}
    return {**made, "routeKey": f"GET {path}", "rawPath": path, "requestContext": context}
