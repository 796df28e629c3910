"""Compiles modules for the Python that Lambda runs, whichever Python and machine builds them.

Bytecode fits one minor version of CPython only. The npm package pyodide is CPython of Lambda's
version as WebAssembly, so Node, which the CDK needs anyway, writes the same bytes on every machine.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = Path(__file__).with_suffix(".mjs")

PYTHON = "3.14"  # equal to the functions' runtime, by test


class BytecodeError(RuntimeError):
    """The compiler is not installed or refused a module; the message ends with what it said."""


@cache
def compiler_digest() -> str:
    """Return what bytecode depends on besides its sources: the same on every machine."""
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    compiler = lock["packages"]["node_modules/pyodide"]["integrity"]
    return hashlib.sha256(f"{compiler} {PYTHON}".encode() + SCRIPT.read_bytes()).hexdigest()


def compile_folders(folders: Mapping[Path, str]) -> None:
    """Write a .pyc for each module under the folders, which are given with their path on Lambda.

    Starting the compiler takes about two seconds, so one call for many folders is best. Raises
    BytecodeError when Node or pyodide is missing and for a module that is not valid Python.
    """
    arguments = [text for folder, path in folders.items() for text in (str(folder), path)]
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments
            ["node", str(SCRIPT), PYTHON, *arguments],  # noqa: S607 - as the CDK finds it
            check=False,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError as error:
        raise BytecodeError("Node is not installed; the CDK needs it too") from error
    if done.returncode:
        said = f"{done.stdout}{done.stderr}"[-2000:]
        raise BytecodeError(f"Compiling failed; is `make setup` done?\n{said}")
