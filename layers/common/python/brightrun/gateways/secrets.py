"""Secrets Manager: where the Claude API key is."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from brightrun.errors import StorageError


def secret_value(secret_arn: str) -> str:
    """Read a secret's text; raises StorageError."""
    import boto3

    try:
        answer = boto3.client("secretsmanager").get_secret_value(SecretId=secret_arn)
    except (ClientError, BotoCoreError) as error:
        raise StorageError("GetSecretValue", type(error).__name__) from error
    return str(answer["SecretString"]).strip()
