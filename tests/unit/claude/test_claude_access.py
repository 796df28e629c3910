"""The request to each provider: its key or signature, model name and body."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
from moto import mock_aws

from brightrun.aws.secrets import claude_api_key
from brightrun.claude.client import AnthropicClaude, anthropic_claude
from brightrun.claude.model import Completion, Prompt
from brightrun.core.errors import ClaudeCallError, ClaudeNotSetUpError, StorageError

TODAY = date(2026, 11, 21)
SCHEMA = {"type": "object"}
PROMPT = Prompt(system="Be kind.", user="Hello", template_id="t", template_version=1)
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-5-5",
    "content": [{"type": "text", "text": "{}"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 2},
}


@dataclass
class Listener:
    """A server that answers every request with one message and keeps the last request."""

    url: str
    message: dict[str, Any] = field(default_factory=lambda: MESSAGE)
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)


@pytest.fixture
def listener() -> Iterator[Listener]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.path = self.path
            received.headers = {name.lower(): value for name, value in self.headers.items()}
            received.body = json.loads(self.rfile.read(int(received.headers["content-length"])))
            answer = json.dumps(received.message).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """No log."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        received = Listener(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield received
        server.shutdown()
        thread.join()


def claude(provider: str, base_url: str, **changes: Any) -> AnthropicClaude:
    given = {
        "model_name": "claude-sonnet-5-5",
        "today": TODAY,
        "base_url": base_url,
        "api_key": "a-key",
        "workspace_id": "wrkspc_1",
        **changes,
    }
    return anthropic_claude(provider, **given)


def complete(provider: str, listener: Listener, **changes: Any) -> Completion:
    async def call() -> Completion:
        client = claude(provider, listener.url, **changes)
        try:
            return await client.complete(PROMPT, schema=SCHEMA)
        finally:
            await client.close()

    return asyncio.run(call())


def signed_for(service: str, listener: Listener) -> bool:
    signature = listener.headers["authorization"]
    scope = f"/us-east-1/{service}/aws4_request,"
    return signature.startswith("AWS4-HMAC-SHA256 Credential=testing/") and scope in signature


def test_the_first_party_api_is_called_with_a_key(listener: Listener) -> None:
    completion = complete("direct", listener)
    assert listener.path == "/v1/messages"
    assert listener.headers["authorization"] == "Bearer a-key"
    assert listener.body["model"] == "claude-sonnet-5-5"
    assert (completion.text, completion.simulated) == ("{}", False)


def test_claude_platform_on_aws_is_called_with_a_signature_in_one_workspace(
    listener: Listener,
) -> None:
    complete("aws", listener)
    assert listener.path == "/v1/messages"
    assert listener.headers["anthropic-workspace-id"] == "wrkspc_1"
    assert signed_for("aws-external-anthropic", listener)
    assert listener.body["model"] == "claude-sonnet-5-5"


@pytest.mark.parametrize(
    ("model", "profile"),
    [
        ("claude-sonnet-5-5", "global.anthropic.claude-sonnet-5-5"),
        ("claude-haiku-4-5", "global.anthropic.claude-haiku-4-5-20251001-v1:0"),
    ],
)
def test_bedrock_is_called_with_a_signature_for_the_models_inference_profile(
    listener: Listener, model: str, profile: str
) -> None:
    complete("bedrock", listener, model_name=model)
    assert listener.path == f"/model/{profile}/invoke"
    assert signed_for("bedrock", listener)
    assert "model" not in listener.body
    assert listener.body["anthropic_version"] == "bedrock-2023-05-31"
    assert listener.body["output_config"]["format"] == {"type": "json_schema", "schema": SCHEMA}


def test_a_completion_of_the_simulator_is_marked(listener: Listener) -> None:
    assert complete("simulator", listener).simulated is True


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"usage": None}, "usage"),
        ({"usage": {"input_tokens": 3}}, "usage.output_tokens"),
        ({"usage": {"input_tokens": 3, "output_tokens": None}}, "usage.output_tokens"),
        ({"usage": {"input_tokens": -3, "output_tokens": 2}}, "usage.input_tokens"),
        ({"usage": {"input_tokens": 10**40, "output_tokens": 2}}, "usage.input_tokens"),
        ({"content": None}, "content"),
        ({"content": [{"type": "text", "text": 7}]}, "content.0.text"),
        ({"id": "m" * 3000}, "id"),
        ({"stop_reason": "end\nturn"}, "stop_reason"),
    ],
)
def test_an_answer_that_could_not_be_stored_or_charged_is_named_by_its_field(
    listener: Listener, change: dict[str, Any], where: str
) -> None:
    listener.message = {**MESSAGE, **change}
    with pytest.raises(ClaudeCallError, match=f"its {where} is missing or unusable") as failed:
        complete("direct", listener)
    assert failed.value.reason == "unreadable_answer"


def test_half_a_surrogate_pair_is_no_text_that_can_be_stored(listener: Listener) -> None:
    listener.message = {**MESSAGE, "content": [{"type": "text", "text": "\ud83d"}]}
    with pytest.raises(ClaudeCallError, match="not a message"):
        complete("direct", listener)


def test_the_error_for_a_missing_workspace_names_the_parameter() -> None:
    with pytest.raises(ClaudeNotSetUpError, match="ClaudeWorkspaceId"):
        claude("aws", "", workspace_id="")


@pytest.fixture
def secrets() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("secretsmanager")


@pytest.mark.parametrize("value", [None, " \n"])
def test_the_error_for_an_empty_secret_names_the_output_with_its_arn(
    secrets: Any, value: str | None
) -> None:
    arn = secrets.create_secret(Name="claude", **({"SecretString": value} if value else {}))["ARN"]
    with pytest.raises(ClaudeNotSetUpError, match="output ClaudeApiKeySecretArn"):
        claude_api_key(arn)


def test_the_line_break_of_a_pasted_key_is_dropped(secrets: Any) -> None:
    arn = secrets.create_secret(Name="claude", SecretString="a-key\n")["ARN"]
    assert claude_api_key(arn) == "a-key"


def test_a_secret_that_cannot_be_read_raises_storage_error(secrets: Any) -> None:
    arn = secrets.create_secret(Name="claude", SecretString="a-key")["ARN"]
    secrets.delete_secret(SecretId=arn)
    with pytest.raises(StorageError, match=r"^GetSecretValue failed: \w+\.$"):
        claude_api_key(arn)
