"""Starts and stops the whole system in the background, from Python."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.errors import LocalError
from local.instance import stop_instance
from local.settings import MEMORY, DataFolder, Settings


class StartFailed(LocalError):
    """The system did not start; the message is its own."""


@dataclass(frozen=True)
class LocalSystem:
    """A running system: its status document, as ``/_local/status`` gave it when it was ready."""

    status: Mapping[str, Any]
    folder: DataFolder
    process: subprocess.Popen[bytes]

    @property
    def api_url(self) -> str:
        """The base URL of the HTTP API, without the ``/api`` of its paths."""
        return str(self.status["api_url"])

    @property
    def outputs(self) -> dict[str, dict[str, str]]:
        """The stack outputs with their Local section."""
        outputs: dict[str, dict[str, str]] = json.loads(self.folder.outputs.read_text())
        return outputs

    @property
    def password(self) -> str:
        """The local user's password."""
        return self.folder.password.read_text().strip()

    def stop(self) -> None:
        """Stop the system and wait until all is on disk; raises StopFailed."""
        stop_instance(self.folder.lock)
        self.process.communicate()


def start(
    *,
    port: int | None = None,
    data_dir: Path | None = None,
    template_dir: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> LocalSystem:
    """Start the system as a background process and return when it is ready.

    Arguments come before BRIGHTRUN_PORT and BRIGHTRUN_DATA_DIR; port 0 means any free port.
    Raises SettingsError, and StartFailed with the reason when it does not get ready.
    """
    settings = Settings.from_environment(
        environ, port=port, data_dir=data_dir, template_dir=template_dir
    )
    folder = DataFolder(settings.data_dir)
    folder.create()
    ready_end, child_end = os.pipe()
    process = _serve_in_background(settings, folder.engine_log, child_end, environ)
    os.close(child_end)
    with os.fdopen(ready_end) as ready:
        message = json.loads(ready.read() or '{"error": "it ended without a word"}')
    if "error" in message:
        process.wait()
        raise StartFailed(f"{message['error']} (log: {folder.engine_log})")
    return LocalSystem(message, folder, process)


def _serve_in_background(
    settings: Settings, log_file: Path, ready: int, environ: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start a process that writes its status to the descriptor ``ready`` and closes it."""
    arguments = [
        f"--port={settings.port}",
        f"--data-dir={settings.data_dir}",
        f"--template-dir={settings.template_dir}",
        f"--ready-descriptor={ready}",
    ]
    with log_file.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "local", "serve", *arguments],
            cwd=Path(__file__).parents[1],
            env={**MEMORY, **environ},
            pass_fds=[ready],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
