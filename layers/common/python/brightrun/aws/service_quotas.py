"""What the AWS account may have at once, from Service Quotas."""

from __future__ import annotations

from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from brightrun.aws.dynamodb import error_code
from brightrun.core.logging import logger

_SAGEMAKER = "sagemaker"


class TrainingQuotas(Protocol):
    """The account's quotas for training jobs."""

    def allowed(self, name: str, code: str) -> int | None:
        """Instances that the quota of this name and code allows to run at once.

        None if that cannot be found out. Raises nothing.
        """


class ServiceQuotas(TrainingQuotas):
    """The quotas of the account and region of a boto3 client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def allowed(self, name: str, code: str) -> int | None:
        try:
            answer = self._client.get_service_quota(ServiceCode=_SAGEMAKER, QuotaCode=code)
        except (ClientError, BotoCoreError) as error:
            cause = error_code(error) if isinstance(error, ClientError) else type(error).__name__
            logger().warning("A quota is not known", quota=name, cause=cause)
            return None
        found = answer["Quota"]
        if found.get("QuotaName") != name:
            # The catalog's code is that of another quota, whose value says nothing about this one.
            logger().warning("A quota's code names another", quota=name, code=code)
            return None
        return int(found["Value"])


def service_quotas_client() -> Any:
    """Make a client that gives up soon: a request waits for it, and can do without."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "service-quotas",
        config=Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2}),
    )
