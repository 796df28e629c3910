"""Starting executions of state machines in AWS Step Functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from brightrun.core.errors import StorageError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.client import SFNClient


def start_once(
    client: SFNClient, state_machine_arn: str, name: str, request: Mapping[str, Any]
) -> None:
    """Start an execution under a name that it alone may have; a second one changes nothing.

    Raises StorageError.
    """
    try:
        client.start_execution(
            stateMachineArn=state_machine_arn, name=name, input=json.dumps(request)
        )
    except client.exceptions.ExecutionAlreadyExists:
        return
    except (ClientError, BotoCoreError) as error:
        raise StorageError("StartExecution", type(error).__name__) from error


def step_functions_client() -> SFNClient:
    """Make a client whose waits end well inside an API call's 29 seconds."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "stepfunctions",
        config=Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard"}),
    )
