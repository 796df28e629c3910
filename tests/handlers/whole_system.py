"""Every function's handler over one emulated account, with a Claude that plays a script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from brightrun import bootstrap
from brightrun.domain.claude import Completion
from brightrun.gateways import claude
from functions.finish_batch import handler as finish_batch
from functions.process_next import handler as process_next
from infra.routes import ROUTES
from tests.aws import BUCKETS, Aws, environment, moto_aws
from tests.builders import OWNER
from tests.fakes.outside import ScriptedClaude
from tests.handlers.aws_calls import AwsCalls
from tests.handlers.gateway import ABSENT, Api

FUNCTION_OF = {route: function for function, routes in ROUTES.items() for route in routes}
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
}
BUCKET_CONSTRUCTS = {
    bucket: "".join(word.capitalize() for word in f"{bucket}-bucket".split("-"))
    for bucket in BUCKETS
}
CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 890_000)


class WholeSystem:
    """Calls handlers as API Gateway and Step Functions do, and remembers which routes were used."""

    def __init__(self, calls: AwsCalls, secret_arn: str) -> None:
        self.calls = calls
        self.routes: set[str] = set()
        self._api = Api()
        self._secret_arn = secret_arn
        self._claude = ScriptedClaude()
        self._before_the_next_moment: Callable[[], object] | None = None

    def http(
        self, route: str, body: object = ABSENT, *, status: int = 200, **parts: Any
    ) -> dict[str, Any]:
        """Send a request; `parts` are `id`, `query` and `headers`. Gives the answer's body."""
        with self.calls.made_by(FUNCTION_OF[route]):
            answer = self._api(
                route.format(id=parts.get("id")),
                body,
                query=parts.get("query", ""),
                headers=parts.get("headers"),
            )
        self.routes.add(route)
        assert answer.status == status, answer.text
        return answer.body

    def turn(self, job_id: str, script: Iterable[Completion | Exception] = ()) -> str:
        """Let a worker take its turn while Claude plays a script; gives how the turn ended."""
        self._claude = ScriptedClaude(script)
        event = {"ownerId": OWNER, "jobId": job_id, "worker": 0, "loop": 0}
        return self._invoke("process_next", event)

    def finish(self, job_id: str, *, round_number: int = 0) -> str:
        """End a round; gives what the workflow is told."""
        event = {"ownerId": OWNER, "jobId": job_id, "run": 1, "workers": [0], "round": round_number}
        return self._invoke("finish_batch", event)

    def put_key(self) -> None:
        """Put a key into the secret, as an operator does."""
        boto3.client("secretsmanager").put_secret_value(
            SecretId=self._secret_arn, SecretString="a-key\n"
        )

    def overtake(self, action: Callable[[], object]) -> None:
        """Let somebody else act at the moment when a function next reads the clock."""
        self._before_the_next_moment = action

    def clock(self) -> datetime:
        action, self._before_the_next_moment = self._before_the_next_moment, None
        if action is not None:
            with self.calls.made_by(None):
                action()
        return datetime.now(UTC)

    def open_claude(self, *_: Any, **__: Any) -> ScriptedClaude:
        return self._claude

    def _invoke(self, function: str, event: dict[str, Any]) -> str:
        handler = {"process_next": process_next, "finish_batch": finish_batch}[function]
        with self.calls.made_by(function):
            return str(handler.lambda_handler(event, CONTEXT)["status"])


@contextmanager
def whole_system() -> Iterator[WholeSystem]:
    """Make the account: tables, buckets, the state machine, and a secret without a value."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**CREDENTIALS, **environment(), "CLAUDE_PROVIDER": "direct"}.items():
            patch.setenv(name, value)
        with moto_aws() as aws:
            _forget_what_was_built()
            try:
                yield _open(aws, patch)
            finally:
                _forget_what_was_built()


def _open(aws: Aws, patch: pytest.MonkeyPatch) -> WholeSystem:
    secret = boto3.client("secretsmanager").create_secret(Name="claude-api-key")["ARN"]
    machine = boto3.client("stepfunctions").create_state_machine(
        name="brightrun-generate-batch",
        definition='{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}',
        roleArn="arn:aws:iam::123456789012:role/any",
    )["stateMachineArn"]
    patch.setenv("CLAUDE_API_KEY_SECRET_ARN", secret)
    patch.setenv("GENERATE_BATCH_STATE_MACHINE_ARN", machine)
    names = {secret: "ClaudeApiKeySecret", machine: "GenerateBatchStateMachine"}
    calls = AwsCalls({**BUCKET_CONSTRUCTS, **names})
    session = boto3.Session()
    for events in (session.events, aws.dynamodb.meta.events, aws.s3.meta.events):
        calls.watch(events)
    system = WholeSystem(calls, secret)
    patch.setattr(boto3, "DEFAULT_SESSION", session)
    patch.setattr(bootstrap, "dynamodb", lambda: aws.dynamodb)
    patch.setattr(bootstrap, "s3", lambda: aws.s3)
    patch.setattr(bootstrap, "clock", system.clock)
    patch.setattr(claude, "anthropic_claude", system.open_claude)
    return system


def _forget_what_was_built() -> None:
    for built in vars(bootstrap).values():
        if hasattr(built, "cache_clear"):
            built.cache_clear()
