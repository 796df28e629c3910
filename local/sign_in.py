"""The local user: created in the emulated user pool, with a password of its own."""

import secrets
import string
from pathlib import Path
from typing import Any

from local.settings import USER_NAME


def ensure_user(cognito: Any, user_pool_id: str, password_file: Path) -> None:
    """Create the local user unless there is one, with the password kept in ``password_file``."""
    from botocore.exceptions import ClientError

    try:
        cognito.admin_get_user(UserPoolId=user_pool_id, Username=USER_NAME)
    except ClientError as error:
        if error.response["Error"]["Code"] != "UserNotFoundException":
            raise
        cognito.admin_create_user(
            UserPoolId=user_pool_id,
            Username=USER_NAME,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "email", "Value": USER_NAME},
                {"Name": "email_verified", "Value": "true"},
            ],
        )
    cognito.admin_set_user_password(
        UserPoolId=user_pool_id,
        Username=USER_NAME,
        Password=_password_in(password_file),
        Permanent=True,
    )


def _password_in(file: Path) -> str:
    if not file.exists():
        letters = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(24))
        file.touch(mode=0o600)
        file.write_text(f"{letters}-aA1\n")  # one of each kind that a strict policy asks for
    return file.read_text().strip()
