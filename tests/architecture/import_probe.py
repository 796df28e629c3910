"""Imports modules in a process where every effect is refused or noted.

Arguments: folders to import from, separated by colons; code to run afterwards as if it were a
module of ours, or nothing; the modules' names. Fails with what was done at import.
"""

from __future__ import annotations

import importlib
import os
import socket
import sys
from collections.abc import Iterator
from typing import Any

OURS = ("brightrun", "functions")
NOT_ASKING = {__name__, "os", "_collections_abc"}
read: list[str] = []


class Watched(dict[str, str]):
    """Notes which module of ours reads a variable; what libraries read is their own affair."""

    def __getitem__(self, name: str) -> str:
        note(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        note(name)
        return super().get(name, default)


def note(variable: str) -> None:
    asking = next(module for module in modules_above() if module not in NOT_ASKING)
    if asking.startswith(OURS):
        read.append(f"{asking} reads {variable}")


def modules_above() -> Iterator[str]:
    """The modules on the stack, the innermost first."""
    frame = sys._getframe(1)
    while frame:
        yield str(frame.f_globals.get("__name__", ""))
        if frame.f_back is None:
            return
        frame = frame.f_back


def refuse(*_: Any, **__: Any) -> None:
    raise AssertionError("an import opened a connection or made a client")


def main() -> None:
    folders, then, *names = sys.argv[1:]
    sys.path[:0] = folders.split(":")
    watch: Any = importlib.import_module
    boto3, session = watch("boto3"), watch("botocore.session")
    boto3.client = boto3.resource = refuse
    session.Session.create_client = refuse
    socket.socket.connect = refuse  # type: ignore[method-assign]
    setattr(os, "environ", Watched(os.environ))  # noqa: B010 - watched, not cleared
    for name in names:
        importlib.import_module(name)
    exec(then, {"__name__": "brightrun.probe"})  # noqa: S102 - the tests' own line
    if read:
        raise SystemExit("\n".join(sorted(set(read))))


if __name__ == "__main__":
    main()
