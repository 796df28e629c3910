from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from anthropic import Anthropic

from local.claude_simulator import ClaudeSimulator

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HEADERS = {"x-api-key": "test", "anthropic-version": "2026-10-21"}

Post = Callable[..., httpx2.Response]


class SteppedClock:
    """A clock that moves only when a test moves it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def simulator(clock: SteppedClock) -> Iterator[ClaudeSimulator]:
    with ClaudeSimulator(clock=clock) as running:
        yield running


@pytest.fixture
def client(simulator: ClaudeSimulator) -> Iterator[Anthropic]:
    with Anthropic(base_url=simulator.url, api_key="test", max_retries=0, timeout=10) as sdk:
        yield sdk


@pytest.fixture
def http(simulator: ClaudeSimulator) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=simulator.url, headers=HEADERS, timeout=10) as plain:
        yield plain


@pytest.fixture
def post(http: httpx2.Client) -> Post:
    """Send a body to `POST /v1/messages`, or to another path."""

    def send(body: Any, path: str = "/v1/messages", **headers: str) -> httpx2.Response:
        return http.post(path, json=body, headers=headers)

    return send
