"""Every function's handler over one emulated account, with a Claude that plays a script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest

from brightrun.claude import client as claude_client
from brightrun.claude.model import Completion
from brightrun.wiring import clients
from functions.build_training_file import handler as build_training_file
from functions.finish_batch import handler as finish_batch
from functions.finish_training import handler as finish_training
from functions.process_next import handler as process_next
from functions.start_training import handler as start_training
from functions.sweep_objects import handler as sweep_objects
from functions.training_events import handler as training_events
from functions.validate_dataset import handler as validate_dataset
from functions.watch_training import handler as watch_training
from infra.routes import ROUTES
from tests.aws import Aws, environment, forget_what_was_built, moto_aws
from tests.builders import OWNER
from tests.fakes.external_services import ScriptedClaude
from tests.fakes.sagemaker_account import SageMakerAccount
from tests.handlers.aws_calls import AwsCalls
from tests.handlers.gateway import ABSENT, Api

FUNCTION_OF = {route: function for function, routes in ROUTES.items() for route in routes}
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
}
MACHINES = (
    "brightrun-generate-batch",
    "brightrun-validate-dataset",
    "brightrun-build-training-file",
    "brightrun-train-adapter",
)
TRAINING_ROLE = "arn:aws:iam::123456789012:role/brightrun-training"
WORKERS: dict[str, ModuleType] = {
    "start_training": start_training,
    "watch_training": watch_training,
    "finish_training": finish_training,
    "training_events": training_events,
    "process_next": process_next,
    "finish_batch": finish_batch,
    "validate_dataset": validate_dataset,
    "build_training_file": build_training_file,
    "sweep_objects": sweep_objects,
}
CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 890_000)


class SystemUnderTest:
    """Calls handlers as API Gateway and Step Functions do, and remembers which routes were used."""

    def __init__(self, calls: AwsCalls, secret_arn: str, files: Any) -> None:
        self.calls = calls
        self.routes: set[str] = set()
        self._api = Api()
        self.secret_arn = secret_arn
        self.sagemaker = SageMakerAccount(lambda: datetime.now(UTC))
        self.files = files
        self._claude = ScriptedClaude()
        self._ahead = timedelta()
        self._before_the_next_moment: Callable[[], object] | None = None
        self._before_the_next_put: tuple[str, Callable[[], object]] | None = None

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
        """End a round; returns the answer to the workflow."""
        event = {"ownerId": OWNER, "jobId": job_id, "run": 1, "workers": [0], "round": round_number}
        return self._invoke("finish_batch", event)

    def validate(self, dataset_id: str) -> str:
        """Carry out a dataset's first validation; gives how it ended."""
        event = {"ownerId": OWNER, "datasetId": dataset_id, "run": 1}
        return self._invoke("validate_dataset", event)

    def work(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        """Run a function of another workflow, or a sweep; gives its answer."""
        with self.calls.made_by(function):
            answer: dict[str, Any] = WORKERS[function].lambda_handler(event, CONTEXT)
        return answer

    def put_key(self) -> None:
        """Put a key into the secret, as an operator does."""
        boto3.client("secretsmanager").put_secret_value(
            SecretId=self.secret_arn, SecretString="a-key\n"
        )

    def overtake(self, action: Callable[[], object]) -> None:
        """Run an action of another caller when a function next reads the clock."""
        self._before_the_next_moment = action

    def overtake_put(self, suffix: str, action: Callable[[], object]) -> None:
        """Run an action of another caller before an object whose key ends so is stored."""
        self._before_the_next_put = (suffix, action)

    def before_put(self, params: dict[str, Any], **_: Any) -> None:
        """Told of each object that is about to be stored."""
        if self._before_the_next_put and params["Key"].endswith(self._before_the_next_put[0]):
            (_suffix, action), self._before_the_next_put = self._before_the_next_put, None
            with self.calls.made_by(None):
                action()

    def clock(self) -> datetime:
        action, self._before_the_next_moment = self._before_the_next_moment, None
        if action is not None:
            with self.calls.made_by(None):
                action()
        return datetime.now(UTC) + self._ahead

    def pass_days(self, days: int) -> None:
        """Let the functions read a later time; what is stored is as old as that then."""
        self._ahead += timedelta(days=days)

    def open_claude(self, *_: Any, **__: Any) -> ScriptedClaude:
        return self._claude

    def _invoke(self, function: str, event: dict[str, Any]) -> str:
        handler = WORKERS[function]
        with self.calls.made_by(function):
            return str(handler.lambda_handler(event, CONTEXT)["status"])


@contextmanager
def system_under_test() -> Iterator[SystemUnderTest]:
    """Make the account: tables, buckets, the state machine, and a secret without a value."""
    with pytest.MonkeyPatch.context() as patch:
        chosen = {"CLAUDE_PROVIDER": "direct", "OWNER_BUDGET_USD": "1000"}
        for name, value in {**CREDENTIALS, **environment(), **chosen}.items():
            patch.setenv(name, value)
        with moto_aws() as aws:
            forget_what_was_built()
            try:
                yield _open(aws, patch)
            finally:
                forget_what_was_built()


def _open(aws: Aws, patch: pytest.MonkeyPatch) -> SystemUnderTest:
    secret = boto3.client("secretsmanager").create_secret(Name="claude-api-key")["ARN"]
    patch.setenv("CLAUDE_API_KEY_SECRET_ARN", secret)
    patch.setenv("TRAINING_ROLE_ARN", TRAINING_ROLE)
    for name in MACHINES:
        machine = boto3.client("stepfunctions").create_state_machine(
            name=name,
            definition='{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}',
            roleArn="arn:aws:iam::123456789012:role/any",
        )["stateMachineArn"]
        variable = name.removeprefix("brightrun-").replace("-", "_").upper()
        patch.setenv(f"{variable}_STATE_MACHINE_ARN", machine)
    calls = AwsCalls()
    session = boto3.Session()
    for events in (session.events, aws.dynamodb.meta.events, aws.s3.meta.events):
        calls.watch(events)
    system = SystemUnderTest(calls, secret, aws.s3)
    aws.s3.meta.events.register("before-parameter-build.s3.PutObject", system.before_put)
    system.sagemaker.answer(session.events)
    patch.setattr(boto3, "DEFAULT_SESSION", session)
    patch.setattr(clients, "sagemaker", lambda: session.client("sagemaker"))
    patch.setattr(clients, "dynamodb", lambda: aws.dynamodb)
    patch.setattr(clients, "s3", lambda: aws.s3)
    patch.setattr(clients, "clock", system.clock)
    patch.setattr(claude_client, "anthropic_claude", system.open_claude)
    return system
