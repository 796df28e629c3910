"""Reads the Claude API key from Secrets Manager."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from brightrun.core.errors import ClaudeNotSetUpError, StorageError


def claude_api_key(secret_arn: str) -> str:
    """Read the Claude API key, without surrounding white space such as a pasted line break.

    Raises ClaudeNotSetUpError if the secret is empty, as in a new deployment, and StorageError.
    """
    import boto3

    client = boto3.client("secretsmanager")
    try:
        key = client.get_secret_value(SecretId=secret_arn).get("SecretString", "").strip()
    except client.exceptions.ResourceNotFoundException:
        key = ""
    except (ClientError, BotoCoreError) as error:
        raise StorageError("GetSecretValue", type(error).__name__) from error
    if not key:
        raise ClaudeNotSetUpError(
            "There is no Claude API key: put it, as plain text, into the secret that the stack "
            "output ClaudeApiKeySecretArn names, then retry what failed."
        )
    return key
