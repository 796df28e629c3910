"""The AWS clients and the clock of all compositions; a client is created once per process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from brightrun.aws.dynamodb import dynamodb_client
from brightrun.aws.objects import s3_client
from brightrun.aws.step_functions import step_functions_client

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_stepfunctions.client import SFNClient


def clock() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


dynamodb: Callable[[], DynamoDBClient] = cache(dynamodb_client)
s3: Callable[[], S3Client] = cache(s3_client)
step_functions: Callable[[], SFNClient] = cache(step_functions_client)


@cache
def service_quotas() -> Any:
    """Create the Service Quotas client; imported late, since only creating a job needs it."""
    from brightrun.aws.service_quotas import service_quotas_client

    return service_quotas_client()


@cache
def sagemaker() -> Any:
    """Create the SageMaker client; imported late, since only the training functions need it."""
    from brightrun.training.sagemaker.gateway import sagemaker_client

    return sagemaker_client()
