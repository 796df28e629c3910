"""A container as processes on this machine, which never outlive the engine."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_GUARD = Path(__file__).with_name("guard.py")


class Container:
    """A command under a guard; what it prints is appended to a log file."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path
    ) -> None:
        lifeline, self._held = os.pipe()
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(_GUARD), str(lifeline), *command],
                pass_fds=[lifeline],
                env=dict(environment),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        os.close(lifeline)

    def wait(self, seconds: float) -> int | None:
        """Wait up to that many seconds; returns the exit code, None if it is still running."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self.kill()
        return code if code >= 0 else 128 - code

    def stop(self) -> None:
        """Send SIGTERM to the container's first process."""
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill all its processes; does nothing after the container has ended."""
        if self._held >= 0:
            with contextlib.suppress(OSError):
                os.close(self._held)
            self._held = -1
