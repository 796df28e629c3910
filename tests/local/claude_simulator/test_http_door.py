from __future__ import annotations

import socket

import httpx2
import pytest
from anthropic import Anthropic, RequestTooLargeError

from local.claude_simulator import ClaudeSimulator

from .conftest import HEADERS, Post
from .requests import message_body

BATCHES = "/v1/messages/batches"


def without(header: str) -> dict[str, str]:
    return {name: value for name, value in HEADERS.items() if name != header}


def test_a_missing_key_is_unauthorized(simulator: ClaudeSimulator) -> None:
    url = f"{simulator.url}/v1/messages"
    response = httpx2.post(url, json=message_body(), headers=without("x-api-key"))
    assert response.status_code == 401
    assert response.json()["error"]["type"] == "authentication_error"
    assert response.json()["error"]["message"] == "x-api-key header is required"


def test_a_bearer_token_serves_as_a_key(simulator: ClaudeSimulator) -> None:
    headers = {**without("x-api-key"), "authorization": "Bearer test"}
    assert httpx2.get(f"{simulator.url}{BATCHES}", headers=headers).status_code == 200


def test_a_missing_version_is_a_bad_request(simulator: ClaudeSimulator) -> None:
    url = f"{simulator.url}/v1/messages"
    response = httpx2.post(url, json=message_body(), headers=without("anthropic-version"))
    assert response.status_code == 400
    assert response.json()["error"]["message"] == "anthropic-version: header is required"


def test_an_unknown_version_is_a_bad_request(post: Post) -> None:
    response = post(message_body(), **{"anthropic-version": "2031-01-01"})
    assert response.status_code == 400
    assert "'2031-01-01' is not one of 2026-10-21" in response.json()["error"]["message"]


def test_an_error_carries_the_same_request_id_in_header_and_body(post: Post) -> None:
    response = post({})
    assert response.headers["request-id"] == response.json()["request_id"]
    assert response.json()["type"] == "error"


def test_every_response_is_marked_as_simulated(post: Post, http: httpx2.Client) -> None:
    answers = [post(message_body()), post({}), http.get("/nowhere"), http.get(BATCHES)]
    assert {answer.headers["x-brightrun-simulated"] for answer in answers} == {"1"}


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_not_json_is_a_bad_request(http: httpx2.Client, body: bytes) -> None:
    response = http.post("/v1/messages", content=body)
    assert response.status_code == 400
    assert "not valid JSON" in response.json()["error"]["message"]


def test_a_body_that_is_no_object_is_a_bad_request(post: Post) -> None:
    assert post([1]).json()["error"]["message"] == "The request body must be a JSON object."


def test_an_unknown_path_is_not_found(http: httpx2.Client) -> None:
    response = http.get("/v1/complete")
    assert response.status_code == 404
    assert response.json()["error"] == {
        "type": "not_found_error",
        "message": "Not Found: /v1/complete",
    }


def test_a_wrong_method_is_not_allowed(http: httpx2.Client) -> None:
    assert http.get("/v1/messages").status_code == 405


def test_a_body_over_32_mb_is_too_large(client: Anthropic) -> None:
    with pytest.raises(RequestTooLargeError) as caught:
        client.messages.create(**message_body("x" * (32 * 1024 * 1024)))
    assert caught.value.body == {
        "type": "error",
        "error": {
            "type": "request_too_large",
            "message": "Request exceeds the maximum size of 33554432 bytes.",
        },
        "request_id": caught.value.request_id,
    }


def test_a_chunked_body_needs_a_length(http: httpx2.Client) -> None:
    assert http.post("/v1/messages", content=iter([b"{}"])).status_code == 411


def test_a_client_that_waits_for_100_continue_is_told_to_go_on(simulator: ClaudeSimulator) -> None:
    port = int(simulator.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(
            b"POST /_simulator/reset HTTP/1.1\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n"
        )
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert connection.recv(20).startswith(b"HTTP/1.1 200 OK")


def test_a_malformed_request_line_closes_only_its_own_connection(
    simulator: ClaudeSimulator, http: httpx2.Client
) -> None:
    port = int(simulator.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        assert connection.recv(100) == b""
    assert http.get(BATCHES).status_code == 200


def test_one_connection_serves_many_requests(simulator: ClaudeSimulator) -> None:
    port = int(simulator.url.rsplit(":", 1)[1])
    request = b"GET /_simulator/journal HTTP/1.1\r\nhost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        reader = connection.makefile("rb")
        for _ in range(3):
            connection.sendall(request)
            head = {}
            assert reader.readline() == b"HTTP/1.1 200 OK\r\n"
            while (line := reader.readline()) != b"\r\n":
                name, _, value = line.decode().partition(": ")
                head[name] = value.strip()
            assert head["connection"] == "keep-alive"
            assert len(reader.read(int(head["content-length"]))) == int(head["content-length"])
        reader.close()


def test_the_port_is_free_again_after_the_block() -> None:
    with ClaudeSimulator() as first:
        port = int(first.url.rsplit(":", 1)[1])
        with pytest.raises(OSError, match="in use"), ClaudeSimulator(port=port):
            pass
    with ClaudeSimulator(port=port) as again:
        assert again.url == f"http://127.0.0.1:{port}"
