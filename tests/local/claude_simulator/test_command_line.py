from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from local.claude_simulator import ClaudeSimulator

from .conftest import HEADERS
from .requests import conversation_body

COMMAND = [sys.executable, "-m", "local.claude_simulator"]
ROOT = Path(__file__).parents[3]


@contextmanager
def running(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The simulator as a process of its own, and the URL it announced."""
    with subprocess.Popen(
        [*COMMAND, "--port", "0", *options], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        word, url = process.stdout.readline().split()
        assert word == "READY"
        yield process, url
        process.terminate()


def failing(*options: str) -> tuple[int, str]:
    finished = subprocess.run(
        [*COMMAND, *options], capture_output=True, text=True, check=False, cwd=ROOT
    )
    return finished.returncode, finished.stderr


def ask(url: str) -> httpx2.Response:
    return httpx2.post(f"{url}/v1/messages", json=conversation_body(), headers=HEADERS, timeout=20)


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_announces_its_url_and_stops_on_a_signal(stop: signal.Signals) -> None:
    with running() as (process, url):
        assert ask(url).status_code == 200
        process.send_signal(stop)
        assert process.wait(timeout=10) == 0


@pytest.mark.slow
def test_seed_and_latency_come_from_the_command_line() -> None:
    with running("--seed", "5", "--latency-seconds", "0.2") as (_, url):
        answer = ask(url)
        assert answer.elapsed.total_seconds() >= 0.2
    with ClaudeSimulator(seed=5) as same, ClaudeSimulator(seed=6) as other:
        assert ask(same.url).json()["content"] == answer.json()["content"]
        assert ask(other.url).json()["content"] != answer.json()["content"]


@pytest.mark.slow
def test_it_listens_on_the_loopback_interface() -> None:
    with running() as (_, url):
        assert url.startswith("http://127.0.0.1:")


@pytest.mark.slow
def test_a_port_that_is_taken_is_reported() -> None:
    with ClaudeSimulator() as simulator:
        port = simulator.url.rsplit(":", 1)[1]
        code, errors = failing("--port", port)
    assert code == 1
    assert f"Cannot listen on port {port}" in errors
