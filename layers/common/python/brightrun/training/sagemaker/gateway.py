"""Amazon SageMaker training jobs: create, describe, stop and list them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from brightrun.aws.dynamodb import error_code
from brightrun.core.errors import (
    BrightRunError,
    NoCapacityError,
    StorageError,
    TrainingRequestError,
)
from brightrun.training.sagemaker.model import TrainingRun


class RunStopper(Protocol):
    """Stopping alone: the function that cancels jobs may neither start nor describe them."""

    def stop(self, name: str) -> None:
        """Stop a training job; does nothing if it has ended or does not exist.

        Raises StorageError.
        """


class TrainingService(RunStopper, Protocol):
    """SageMaker's training jobs; every method raises StorageError."""

    def start(self, request: Mapping[str, Any]) -> None:
        """Create a training job; does nothing if one of this name exists.

        Raises NoCapacityError (also for quotas and throttling), TrainingRequestError.
        """

    def describe(self, name: str) -> TrainingRun | None:
        """Describe a training job; None when there is no such job."""

    def active(self, name_prefix: str) -> Iterator[str]:
        """Names of the training jobs in progress that begin with a prefix."""


_WAIT = frozenset(
    {
        "ResourceLimitExceeded",
        "CapacityError",
        "InsufficientCapacityException",
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
    }
)
"""Errors after which the same request may succeed later: quota, capacity, throttling."""
_TRANSIENT = frozenset(
    {"InternalFailure", "InternalServerException", "ServiceUnavailable", "RequestTimeout"}
)
_UNKNOWN_JOB = "Requested resource not found"
_NOT_RUNNING = "is in status"
_PAGE = 100


class SageMakerTraining(TrainingService):
    """Training jobs of the account and region of a boto3 client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def start(self, request: Mapping[str, Any]) -> None:
        try:
            self._client.create_training_job(**request)
        except ParamValidationError as error:
            raise TrainingRequestError(
                f"The request for the training job is invalid: {error}"
            ) from error
        except ClientError as error:
            if error_code(error) == "ResourceInUse":
                return
            raise _create_error(error) from error
        except BotoCoreError as error:
            raise StorageError("CreateTrainingJob", type(error).__name__) from error

    def describe(self, name: str) -> TrainingRun | None:
        try:
            answer = self._client.describe_training_job(TrainingJobName=name)
        except ClientError as error:
            if _is_unknown(error):
                return None
            raise StorageError("DescribeTrainingJob", error_code(error)) from error
        except BotoCoreError as error:
            raise StorageError("DescribeTrainingJob", type(error).__name__) from error
        return _run(answer)

    def stop(self, name: str) -> None:
        try:
            self._client.stop_training_job(TrainingJobName=name)
        except ClientError as error:
            if not _is_unknown(error) and _NOT_RUNNING not in _message(error):
                raise StorageError("StopTrainingJob", error_code(error)) from error
        except BotoCoreError as error:
            raise StorageError("StopTrainingJob", type(error).__name__) from error

    def active(self, name_prefix: str) -> Iterator[str]:
        # SageMaker filters by what a name contains, not by how it begins.
        pages = self._client.get_paginator("list_training_jobs").paginate(
            StatusEquals="InProgress",
            NameContains=name_prefix,
            PaginationConfig={"PageSize": _PAGE},
        )
        try:
            for page in pages:
                for summary in page["TrainingJobSummaries"]:
                    name = str(summary["TrainingJobName"])
                    if name.startswith(name_prefix):
                        yield name
        except (ClientError, BotoCoreError) as error:
            raise StorageError("ListTrainingJobs", type(error).__name__) from error


def sagemaker_client() -> Any:
    """Make a client with few retries: the workflow retries."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "sagemaker",
        config=Config(connect_timeout=3, read_timeout=20, retries={"mode": "standard"}),
    )


def _create_error(error: ClientError) -> BrightRunError:
    code = error_code(error)
    if code in _WAIT:
        return NoCapacityError(f"SageMaker cannot start the job now: {_message(error)}")
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))
    if code in _TRANSIENT or status >= 500:
        return StorageError("CreateTrainingJob", code)
    return TrainingRequestError(f"SageMaker rejected the training job ({code}): {_message(error)}")


def _run(answer: Mapping[str, Any]) -> TrainingRun:
    transitions = answer.get("SecondaryStatusTransitions") or [{}]
    return TrainingRun(
        name=answer["TrainingJobName"],
        status=answer["TrainingJobStatus"],
        secondary_status=answer["SecondaryStatus"],
        failure_reason=answer.get("FailureReason"),
        status_message=transitions[-1].get("StatusMessage"),
        created_at=answer["CreationTime"],
        training_started_at=answer.get("TrainingStartTime"),
        training_ended_at=answer.get("TrainingEndTime"),
        training_seconds=answer.get("TrainingTimeInSeconds"),
        billable_seconds=answer.get("BillableTimeInSeconds"),
        artifact_uri=answer.get("ModelArtifacts", {}).get("S3ModelArtifacts"),
        environment=answer.get("Environment", {}),
        stage_since=transitions[-1].get("StartTime"),
    )


def _message(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", ""))


def _is_unknown(error: ClientError) -> bool:
    """Whether the name is unknown, for which SageMaker has two error codes."""
    code = error_code(error)
    return code == "ResourceNotFound" or (
        code == "ValidationException" and _UNKNOWN_JOB in _message(error)
    )
