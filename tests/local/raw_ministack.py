"""Ministack without our patches, to see what it does by itself."""

import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.local.running_system import until


class RawMinistack:
    """Ministack as it comes, in a process of its own that is killed at the end."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._environment = {
            "PATH": os.environ["PATH"],
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "PERSIST_STATE": "1",
            "STATE_DIR": str(folder / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(folder / "s3"),
            "TMPDIR": str(folder),
            "DOCKER_HOST": f"unix://{folder}/none",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "ERROR",
        }

    def __enter__(self) -> "RawMinistack":
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self._answers)
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_ministack/health") as response:
                return bool(response.status == 200)
        except OSError:
            return False

    def resident_kib(self) -> int:
        """Return how much memory the process holds, in KiB."""
        return resident_kib(self._process.pid)


def resident_kib(process: int) -> int:
    """Return how much memory a process holds, in KiB."""
    listed = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(process)], capture_output=True, check=True
    )
    return int(listed.stdout)
