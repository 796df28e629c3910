"""Reading outputs.json, as `cdk deploy --outputs-file` and the local engine write it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.config import Profile, require_safe_url
from cli.errors import UsageError
from cli.private_files import explained, read_json_object

REQUIRED_OUTPUTS = ("ApiUrl", "Region", "UserPoolClientId")
LOCAL_SECTION = "Local"
LOCAL_SETTINGS = ("endpoint_url", "username", "password_file")


@dataclass(frozen=True)
class LocalUser:
    """The user the local engine made for its owner."""

    username: str
    password: str


def local_outputs_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the local engine writes its outputs: BRIGHTRUN_DATA_DIR, else `.local/`."""
    return Path(environ.get("BRIGHTRUN_DATA_DIR") or ".local") / "outputs.json"


def read_profile(path: Path, name: str) -> Profile:
    """Make a profile from the stack that carries the API's outputs.

    Raises UsageError when no stack has all of ApiUrl, Region and UserPoolClientId.
    """
    document = read_json_object(path)
    stack = _api_stack(path, document)
    local = document.get(LOCAL_SECTION) or {}
    endpoint = local.get("endpoint_url")
    return Profile(
        name=name,
        api_url=require_safe_url(stack["ApiUrl"], f"ApiUrl in {path}"),
        region=stack["Region"],
        client_id=stack["UserPoolClientId"],
        endpoint_url=require_safe_url(endpoint, f"endpoint_url in {path}") if endpoint else None,
        generator=local.get("generator"),
    )


def read_local_user(path: Path) -> LocalUser:
    """Read the local user's name and password.

    Raises UsageError when the file is not the local engine's or the password file is missing.
    """
    local = read_json_object(path).get(LOCAL_SECTION)
    if not isinstance(local, dict) or any(not local.get(name) for name in LOCAL_SETTINGS):
        raise UsageError(
            f"{path} has no complete section {LOCAL_SECTION!r}: it is not the local system's.",
            hint="Start the local system with `make up`.",
        )
    password_file = path.parent / local["password_file"]
    with explained("read", password_file, "Start the local system with `make up`."):
        password = password_file.read_text(encoding="utf-8").strip()
    return LocalUser(local["username"], password)


def _api_stack(path: Path, document: dict[str, Any]) -> dict[str, Any]:
    for stack in document.values():
        if isinstance(stack, dict) and all(stack.get(name) for name in REQUIRED_OUTPUTS):
            return stack
    raise UsageError(
        f"No stack in {path} has the outputs {', '.join(REQUIRED_OUTPUTS)}.",
        hint="Write the file with `cdk deploy --all --outputs-file outputs.json`.",
    )
