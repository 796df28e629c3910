"""A wrong or unreachable Claude is told at the start, in one sentence and in time."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from local import claude_check
from local.claude_check import ClaudeRefused, check_claude

Serve = Callable[[int, bytes], str]
ERROR = b'{"type": "error", "error": {"type": "authentication_error", "message": "invalid"}}'


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves one answer to everything; returns the URL."""
    servers: list[HTTPServer] = []

    def start(status: int, body: bytes) -> str:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                known = self.path == "/v1/models/claude-x" and self.headers["x-api-key"] == "key"
                self.send_response(status if known else 418)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                return

        servers.append(HTTPServer(("127.0.0.1", 0), Answer))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("status", [200, 429, 500, 529])
def test_claude_that_knows_the_model_or_is_busy_can_be_used(serve: Serve, status: int) -> None:
    check_claude(serve(status, b'{"id": "claude-x"}'), "key", "claude-x")


def test_the_date_on_which_claude_retires_the_model_is_told(serve: Serve) -> None:
    body = b'{"lifecycle": "deprecated", "retires_at": "2027-01-22T00:00:00Z"}'
    assert check_claude(serve(200, body), "key", "claude-x") == date(2027, 1, 22)


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (200, b'{"lifecycle": "retired"}', "claude-x is retired; name another in"),
        (401, ERROR, "does not accept the key in ANTHROPIC_API_KEY"),
        (403, ERROR, "does not accept the key in ANTHROPIC_API_KEY"),
        (404, ERROR, "has no model claude-x .* name another in BRIGHTRUN_CLAUDE_MODEL"),
        (404, b"<html>", "is not the Claude API; correct BRIGHTRUN_CLAUDE_BASE_URL"),
        (200, b"<html>", "is not the Claude API; correct BRIGHTRUN_CLAUDE_BASE_URL"),
        (400, ERROR, "refuses to describe the model claude-x"),
    ],
)
def test_refusal_names_the_host_the_cause_and_the_remedy(
    serve: Serve, status: int, body: bytes, sentence: str
) -> None:
    url = serve(status, body)
    with pytest.raises(ClaudeRefused, match=sentence) as refused:
        check_claude(url, "key", "claude-x")
    assert str(refused.value).startswith(f"Claude at {url.removeprefix('http://')} cannot be used")
    assert "Without ANTHROPIC_API_KEY the simulator writes" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_port_on_which_nothing_listens_is_told() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(ClaudeRefused, match=r"nothing listens there"):
            check_claude(url, "key", "claude-x")


def test_unknown_host_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: object, **_named: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ClaudeRefused, match=r"Claude at claude\.test cannot be used: no such host"):
        check_claude("http://claude.test", "key", "claude-x")


def test_host_that_never_answers_is_told_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claude_check, "DEADLINE_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(ClaudeRefused, match="did not answer in time"):
            check_claude(f"http://127.0.0.1:{silent.getsockname()[1]}", "key", "claude-x")
        assert time.monotonic() - began < 2
    assert claude_check.DEADLINE_SECONDS < 10
