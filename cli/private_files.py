"""JSON files that only their owner may read."""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cli.errors import UsageError

CONFIG_HINT = "Set BRIGHTRUN_CONFIG_DIR to a folder you may write to."


@contextmanager
def explained(action: str, path: Path, hint: str | None = None) -> Iterator[None]:
    """Turn an OSError into a UsageError: "Cannot {action} {path}: reason."."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"Cannot {action} {path}: {error.strerror}.", hint=hint) from error


def read_json_object(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file.

    Raises UsageError when the file cannot be read or holds anything but a JSON object.
    """
    try:
        with explained("read", path):
            document = json.loads(path.read_bytes())
    except ValueError as error:
        raise UsageError(f"{path} is not valid JSON: {error}.") from error
    if not isinstance(document, dict):
        raise UsageError(f"{path} must hold a JSON object, not {type(document).__name__}.")
    return document


def write_private_json(path: Path, document: dict[str, Any]) -> None:
    """Replace the file in one step, mode 0600 from its first byte on, in a folder of mode 0700.

    Raises UsageError when the folder cannot be written.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with explained("write", path, CONFIG_HINT):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(document, stream, indent=2)
        draft.replace(path)


def delete_private(path: Path) -> None:
    """Delete the file, if it is there; raises UsageError when it cannot be deleted."""
    with explained("delete", path, CONFIG_HINT):
        path.unlink(missing_ok=True)
