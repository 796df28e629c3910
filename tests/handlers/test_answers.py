"""Bodies of answers: their letters, and the size that Lambda can answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.core.payloads import MOST_BODY_BYTES
from brightrun.http.app import build_api
from tests.builders import OWNER
from tests.handlers.events import http_event

LAMBDAS_LIMIT = 6 * 1024 * 1024


def answered(value: Any) -> dict[str, Any]:
    """The payload of a function that answers a value."""
    router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

    @router.get("/api/thing")
    def show() -> dict[str, Any]:
        return {"text": value}

    event = http_event("GET /api/thing", "/api/thing", claims={"sub": OWNER})
    return build_api(router, services={}).resolve(event, None)


def size_of(payload: dict[str, Any]) -> int:
    """The bytes that Lambda counts: its runtime writes letters as they are."""
    return len(json.dumps(payload, ensure_ascii=False).encode())


@pytest.mark.parametrize(
    "text", ["Є чим платити", "十一月", "naïve \U0001f600", 'a "quoted" \\ \n']
)
def test_a_letter_of_any_script_takes_its_own_bytes(text: str) -> None:
    body = answered(text)["body"]
    assert json.loads(body) == {"text": text}
    assert body == '{"text":' + json.dumps(text, ensure_ascii=False) + "}"


def test_an_unpaired_surrogate_stays_escaped() -> None:
    body = answered("quoted from a file: \ud800")["body"]
    assert body.encode().decode() == body
    assert json.loads(body) == {"text": "quoted from a file: \ud800"}


@pytest.mark.parametrize("letter", ["x", "é", "漢", "\U0001f600", '"', "\\", "\x01"])
def test_what_lambda_cannot_answer_is_refused_with_a_reason(letter: str) -> None:
    per_letter = size_of({"body": json.dumps(letter, ensure_ascii=False)}) - size_of({"body": '""'})
    fits = answered(letter * ((MOST_BODY_BYTES - 100) // per_letter))
    assert fits["statusCode"] == 200
    assert size_of(fits) < LAMBDAS_LIMIT
    refused = answered(letter * (MOST_BODY_BYTES // per_letter + 1))
    problem = json.loads(refused["body"])
    assert (refused["statusCode"], problem["code"]) == (400, "answer_too_large")
    assert "6.2 MB. Ask for less" in problem["detail"]
