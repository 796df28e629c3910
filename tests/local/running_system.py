"""A running engine as tests use it: its API, its AWS clients, its processes."""

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.deploy.clients import client
from local.engine import LocalSystem, start
from local.settings import USER_NAME

ASSEMBLY = Path(__file__).parent / "fixtures" / "assembly"
DEADLINE_SECONDS = 60.0


@dataclass(frozen=True)
class Answer:
    """The answer to an HTTP request."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def document(self) -> Any:
        """The body, parsed as JSON."""
        return json.loads(self.text)


class RunningSystem:
    """One engine and the ways into it."""

    def __init__(self, local: LocalSystem) -> None:
        self.local = local
        self.outputs = {
            name: text for stack in local.outputs.values() for name, text in stack.items()
        }

    def aws(self, service: str) -> Any:
        """Return a boto3 client of the emulated AWS."""
        return client(service, self.local.api_url)

    def sign_in(self, token: str = "AccessToken") -> str:
        """Return a token of the local user."""
        answer = self.aws("cognito-idp").initiate_auth(
            ClientId=self.outputs["UserPoolClientId"],
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": USER_NAME, "PASSWORD": self.local.password},
        )
        return str(answer["AuthenticationResult"][token])

    def request(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send a request to the engine's port."""
        content = None if body is None else json.dumps(body).encode()
        url = path if path.startswith("http") else self.local.api_url + path
        request = urllib.request.Request(
            url, data=content, method=method, headers=headers or {"content-type": "text/plain"}
        )
        try:
            with urllib.request.urlopen(request) as response:
                return Answer(response.status, dict(response.headers), response.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read().decode())

    def table(self) -> Any:
        """Return the fixture's table."""
        import boto3
        from botocore.config import Config

        return boto3.resource(
            "dynamodb",
            endpoint_url=self.local.api_url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"max_attempts": 0}),
        ).Table(self.outputs["TableName"])

    def run_machine(self, definition: dict[str, Any], data: Any, name: str) -> dict[str, Any]:
        """Create a state machine, run it once and return how it ended, with ``seconds``."""
        step_functions = self.aws("stepfunctions")
        machine = step_functions.create_state_machine(
            name=name, definition=json.dumps(definition), roleArn=self.outputs["MachineRoleArn"]
        )["stateMachineArn"]
        started = time.monotonic()
        arn = step_functions.start_execution(stateMachineArn=machine, input=json.dumps(data))
        ended = self.wait_until_ended(arn["executionArn"])
        return {**ended, "seconds": time.monotonic() - started}

    def wait_until_ended(self, execution_arn: str) -> dict[str, Any]:
        """Return the description of an execution once it has ended."""
        step_functions = self.aws("stepfunctions")

        def ended() -> Any:
            description = step_functions.describe_execution(executionArn=execution_arn)
            return description if description["status"] != "RUNNING" else None

        description: dict[str, Any] = until(ended)
        return description

    def kill(self) -> None:
        """Kill the engine without a chance to write anything."""
        self.local.process.kill()
        self.local.process.wait()

    def stop(self) -> None:
        """Stop the engine; nothing to do when it was killed."""
        self.local.stop()


def start_fixture_system(
    data_dir: Path, assembly: Path = ASSEMBLY, **variables: str
) -> RunningSystem:
    """Start an engine with the test assembly on a free port, with variables of the test's own."""
    environ = {name: text for name, text in os.environ.items() if name in ("PATH", "HOME")}
    return RunningSystem(
        start(port=0, data_dir=data_dir, template_dir=assembly, environ={**environ, **variables})
    )


def until(condition: Callable[[], Any], *, seconds: float = DEADLINE_SECONDS) -> Any:
    """Return the first true result of a condition that is tried again and again."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)
    return result
