"""The API functions over moto, with a state machine that can be started.

Making the account takes longer than most tests, so a module shares one; every test finds its tables
empty.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from brightrun.core.logging import logger
from brightrun.wiring import clients
from tests import aws as deployed
from tests.aws import Aws, empty_tables, forget_what_was_built, moto_aws
from tests.builders import SteppedClock
from tests.fakes.sagemaker import answer_stops
from tests.handlers.gateway import Api
from tests.handlers.seeds import Seeds, StartedRuns

MACHINE_ARN = deployed.environment()["GENERATE_BATCH_STATE_MACHINE_ARN"]
VALIDATION_ARN = deployed.environment()["VALIDATE_DATASET_STATE_MACHINE_ARN"]
BUILD_ARN = deployed.environment()["BUILD_TRAINING_FILE_STATE_MACHINE_ARN"]
TRAINING_ARN = deployed.environment()["TRAIN_ADAPTER_STATE_MACHINE_ARN"]
DEFINITION: dict[str, Any] = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}


@dataclass(frozen=True)
class Account:
    aws: Aws
    workflows: Any
    sagemaker: Any
    stopped: list[str]


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with moto_aws() as aws:
        sagemaker = boto3.client("sagemaker", region_name="us-east-1")
        workflows = boto3.client("stepfunctions", region_name="us-east-1")
        yield Account(aws, workflows, sagemaker, answer_stops(sagemaker.meta.events))


@pytest.fixture
def aws(account: Account) -> Aws:
    """Every table and bucket of the data stack, the tables empty."""
    empty_tables()
    return account.aws


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def api(
    account: Account, aws: Aws, clock: SteppedClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Api]:
    """The API, as cold as after a deployment."""
    for name, value in deployed.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(clients, "dynamodb", lambda: aws.dynamodb)
    monkeypatch.setattr(clients, "step_functions", lambda: account.workflows)
    monkeypatch.setattr(clients, "sagemaker", lambda: account.sagemaker)
    monkeypatch.setattr(clients, "clock", clock)
    forget_what_was_built()
    yield Api()
    forget_what_was_built()


@pytest.fixture
def seeds(aws: Aws) -> Seeds:
    return Seeds(aws)


@pytest.fixture
def runs(account: Account) -> Iterator[StartedRuns]:
    """The state machine of a batch; moto remembers what is started and does none of it."""
    _deploy(account, MACHINE_ARN)
    yield StartedRuns(account.workflows)
    account.workflows.delete_state_machine(stateMachineArn=MACHINE_ARN)


@pytest.fixture
def validations(account: Account) -> Iterator[StartedRuns]:
    """The state machine of a validation, likewise."""
    _deploy(account, VALIDATION_ARN)
    yield StartedRuns(account.workflows, "VALIDATE_DATASET")
    account.workflows.delete_state_machine(stateMachineArn=VALIDATION_ARN)


@pytest.fixture
def builds(account: Account) -> Iterator[StartedRuns]:
    """The state machine of a training file's build, likewise."""
    _deploy(account, BUILD_ARN)
    yield StartedRuns(account.workflows, "BUILD_TRAINING_FILE")
    account.workflows.delete_state_machine(stateMachineArn=BUILD_ARN)


@pytest.fixture
def trainings(account: Account) -> Iterator[StartedRuns]:
    """The state machine of a training, likewise."""
    _deploy(account, TRAINING_ARN)
    yield StartedRuns(account.workflows, "TRAIN_ADAPTER")
    account.workflows.delete_state_machine(stateMachineArn=TRAINING_ARN)


@pytest.fixture
def stopped(account: Account) -> list[str]:
    """The names of the SageMaker jobs that were stopped."""
    account.stopped.clear()
    return account.stopped


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """All that the functions' logger writes."""
    stream = io.StringIO()
    monkeypatch.setattr(logger().registered_handler, "stream", stream)
    return stream


def _deploy(account: Account, arn: str) -> None:
    account.workflows.create_state_machine(
        name=arn.rpartition(":")[2],
        definition=json.dumps(DEFINITION),
        roleArn="arn:aws:iam::123456789012:role/any",
    )
