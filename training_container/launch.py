"""Entry point (PID 1) of the training container: starts one process per GPU.

SageMaker sends SIGTERM to PID 1 and kills 120 s later; the launcher forwards the signal, so that
the processes can save. If a process fails, the others are killed and the cause is written to
`output/failure`. Uses the standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

PACKAGE_PARENT = Path(__file__).resolve().parent.parent
SHARED_PACKAGE = PACKAGE_PARENT / "layers" / "common" / "python"
"""The folder of brightrun in a checkout; in the image that is PACKAGE_PARENT."""
GRACE_SECONDS = 110
"""Seconds between the stop signal and killing what is left; SageMaker kills after 120."""
MULTI_HOST_PORT = 7777
FAILURE_LIMIT = 1024


class Launcher:
    """Starts the job's processes on this host, forwards signals, reports a failure's cause."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self.root = Path(environment.get("SM_ML_ROOT", "/opt/ml"))
        self.processes: dict[int, tuple[int, subprocess.Popen[bytes]]] = {}
        self.stopping = False

    def run(self) -> int:
        """Run the job on this host to its end; returns the container's exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._forward)
        signal.signal(signal.SIGALRM, self._kill)
        output = self.root / "output"
        output.mkdir(parents=True, exist_ok=True)
        for earlier in output.glob("failure*"):
            earlier.unlink()
        for rank, environment in self._process_environments():
            command = [sys.executable, "-m", "training_container.train"]
            process = subprocess.Popen(command, env=environment, start_new_session=True)  # noqa: S603 - our own module
            self.processes[process.pid] = (rank, process)
        if self.stopping:  # the signal came while starting, before some processes existed
            self._forward(signal.SIGTERM, None)
        failed = self._wait()
        if not failed:
            return 0
        return self._write_failure(failed)

    def _process_environments(self) -> list[tuple[int, dict[str, str]]]:
        """(rank, environment) of every process on this host."""
        hosts, here, interface = self._hosts()
        local = int(self.environment.get("TRAINER_PROCESSES", "0")) or max(1, gpu_count())
        port = MULTI_HOST_PORT if len(hosts) > 1 else free_port()
        folders = [str(PACKAGE_PARENT), str(SHARED_PACKAGE), self.environment.get("PYTHONPATH")]
        shared = {
            **self.environment,
            "PYTHONPATH": os.pathsep.join(filter(None, folders)),
            "PYTHONUNBUFFERED": "1",
            "TOKENIZERS_PARALLELISM": "false",
            # More threads would compete for cores with the host's other processes.
            "OMP_NUM_THREADS": self.environment.get("OMP_NUM_THREADS", "1"),
            "HF_HUB_OFFLINE": self.environment.get("HF_HUB_OFFLINE", "1"),
            "MASTER_ADDR": hosts[0] if len(hosts) > 1 else "127.0.0.1",
            "MASTER_PORT": self.environment.get("MASTER_PORT", str(port)),
            "WORLD_SIZE": str(len(hosts) * local),
        }
        if len(hosts) > 1:
            shared |= {"NCCL_SOCKET_IFNAME": interface, "GLOO_SOCKET_IFNAME": interface}
        first = hosts.index(here) * local
        return [
            (first + i, {**shared, "RANK": str(first + i), "LOCAL_RANK": str(i)})
            for i in range(local)
        ]

    def _hosts(self) -> tuple[list[str], str, str]:
        """All hosts of the job in rank order, the current one, and its network interface."""
        path = self.root / "input" / "config" / "resourceconfig.json"
        if not path.is_file():
            return ["localhost"], "localhost", "lo"
        config = json.loads(path.read_bytes())
        return sorted(config["hosts"]), config["current_host"], config["network_interface_name"]

    def _forward(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True
        signal.alarm(GRACE_SECONDS)
        self._send(signal.SIGTERM)

    def _kill(self, _number: int, _frame: FrameType | None) -> None:
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        # Not Popen.send_signal: it would collect the exit status that _wait is waiting for.
        for pid in tuple(self.processes):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _wait(self) -> list[tuple[int, int]]:
        """Wait for all, killing the rest at the first failure; returns failed (rank, code)."""
        failed: list[tuple[int, int]] = []
        while self.processes:
            pid, status = os.wait()  # also collects orphans, as PID 1 must
            failed += self._ended(pid, status)
            if failed:
                failed += self._already_ended()
                self._send(signal.SIGKILL)
                break
        for _, process in self.processes.values():
            process.wait()
        return failed

    def _already_ended(self) -> list[tuple[int, int]]:
        """Failures from before the rest was killed; one of them is the cause."""
        failed: list[tuple[int, int]] = []
        for pid in tuple(self.processes):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                failed += self._ended(ended, status)
        return failed

    def _ended(self, pid: int, status: int) -> list[tuple[int, int]]:
        if pid not in self.processes:
            return []
        rank, process = self.processes.pop(pid)
        process.returncode = os.waitstatus_to_exitcode(status)
        return [(rank, process.returncode)] if process.returncode else []

    def _write_failure(self, failed: list[tuple[int, int]]) -> int:
        """Write the cause to the failure file; returns the container's exit code.

        A process killed by a signal is the cause, since its peers then fail with broken
        connections; otherwise it is the process that wrote its failure file first.
        """
        rank, code = min(failed, key=lambda item: (item[1] > 0, self._failure_time(item[0])))
        report = self._failure_report(rank)
        if report.is_file():
            text = report.read_text("utf-8")
        elif self.stopping:
            text = "StoppedBeforeFirstStepError: a stop was asked for while setting up."
        else:
            name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            hint = "; out of host memory?" if code == -signal.SIGKILL else ""
            text = f"WorkerKilled: process {rank} ended with {name}{hint}"
        (self.root / "output" / "failure").write_text(text[:FAILURE_LIMIT], "utf-8")
        return code if code > 0 else 128 - code

    def _failure_report(self, rank: int) -> Path:
        return self.root / "output" / f"failure.rank{rank}"

    def _failure_time(self, rank: int) -> float:
        report = self._failure_report(rank)
        return report.stat().st_mtime if report.is_file() else float("inf")


def gpu_count() -> int:
    """The number of GPUs that the driver lists; 0 without a driver."""
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)  # noqa: S607 - on PATH wherever a GPU is
    except FileNotFoundError:
        return 0
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())


def free_port() -> int:
    """A free port for the process group of one host."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


if __name__ == "__main__":  # SageMaker passes the argument "train", which is ignored
    sys.exit(Launcher(os.environ).run())
