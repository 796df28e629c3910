"""boto3 clients for the emulated AWS."""

from typing import Any

from local.settings import ACCESS_KEY, REGION


def client(service: str, endpoint_url: str) -> Any:
    """Return a client of a service at an endpoint, with the emulated AWS's credentials."""
    import boto3
    from botocore.config import Config

    connect: Any = boto3.client  # its overloads want a literal service name
    return connect(
        service,
        endpoint_url=endpoint_url,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=ACCESS_KEY,
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )
