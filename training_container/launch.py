"""Entry point (PID 1) of the training container: starts one process per GPU.

SageMaker sends SIGTERM to PID 1 and kills 120 s later; the launcher forwards the signal, so that
the processes can save. If a process or the launcher itself fails, what is left is killed and the
cause is written to `output/failure`. Uses the standard library only, and is imported by train.py
for what must work where nothing else can be imported.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

PACKAGE_PARENT = Path(__file__).resolve().parent.parent
SHARED_PACKAGE = PACKAGE_PARENT / "layers" / "common" / "python"
"""The folder of brightrun in a checkout; in the image that is PACKAGE_PARENT."""
GRACE_SECONDS = 110
"""Seconds between the stop signal and killing what is left; SageMaker kills after 120."""
MULTI_HOST_PORT = 7777
FAILURE_LIMIT = 1024
"""Characters of the failure file that SageMaker shows as FailureReason (its API reference)."""
GPU_INSTANCE = re.compile(r"ml\.(p|gr?)\d")
"""The instance families with NVIDIA GPUs: ml.p4d, ml.p5, ml.g5, ml.g6e, ml.gr6 and so on."""
DRIVER_ANSWERS_S = 20
"""How long nvidia-smi may take; a driver that hangs would otherwise bill until the job's limit."""


class GpuUnavailableError(Exception):
    """The instance has GPUs that this container cannot use; training on the CPU would take days."""


class HostConfigError(Exception):
    """SageMaker's resourceconfig.json does not say which hosts there are."""


class Launcher:
    """Starts the job's processes on this host, forwards signals, reports a failure's cause."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self.root = ml_root(environment)
        self.processes: dict[int, tuple[int, subprocess.Popen[bytes]]] = {}
        self.stopping = False

    def run(self) -> int:
        """Run the job on this host to its end; returns the container's exit code.

        Whatever goes wrong, the cause is in the failure file, or at least on standard error.
        """
        try:
            return self._run()
        except Exception as error:  # noqa: BLE001 - without a failure file SageMaker knows no cause
            traceback.print_exc()
            self._send(signal.SIGKILL)
            write_failure(self.root, "failure", failure_text(error))
            return 1

    def _run(self) -> int:
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
        resources = self._resources()
        hosts, here = sorted(resources["hosts"]), resources["current_host"]
        gpus = self._gpus(resources.get("current_instance_type", ""))
        local = int(self.environment.get("TRAINER_PROCESSES", "0")) or max(1, gpus)
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
            "TRAINER_DEVICE": "cuda" if gpus else "cpu",
        }
        if len(hosts) > 1:
            interface = resources["network_interface_name"]
            shared |= {"NCCL_SOCKET_IFNAME": interface, "GLOO_SOCKET_IFNAME": interface}
        first = hosts.index(here) * local
        return [
            (first + i, {**shared, "RANK": str(first + i), "LOCAL_RANK": str(i)})
            for i in range(local)
        ]

    def _resources(self) -> dict[str, Any]:
        """SageMaker's description of the job's hosts; without one, this machine alone.

        Raises HostConfigError.
        """
        path = self.root / "input" / "config" / "resourceconfig.json"
        if not path.is_file():
            return {"hosts": ["localhost"], "current_host": "localhost"}
        try:
            resources: dict[str, Any] = json.loads(path.read_bytes())
            if resources["current_host"] in resources["hosts"]:
                return resources
        except (ValueError, KeyError, TypeError) as error:
            raise HostConfigError(f"{path.name} cannot be used: {error!r}") from error
        raise HostConfigError(f"{path.name}: the current host is not among the hosts")

    def _gpus(self, instance_type: str) -> int:
        """The number of GPUs on this host; 0 only where the instance has none, or CPUs suffice.

        Raises GpuUnavailableError.
        """
        listed = gpus_of_driver()
        sys.stdout.write("".join(f"gpu: {line}\n" for line in listed))
        may_do_without = self.environment.get("TRAINER_ALLOW_CPU") == "1"
        if not listed and GPU_INSTANCE.match(instance_type) and not may_do_without:
            raise GpuUnavailableError(
                f"{instance_type} has GPUs, but the container sees none. The image needs "
                "NVIDIA_VISIBLE_DEVICES=all and NVIDIA_DRIVER_CAPABILITIES=compute,utility, as "
                "its Dockerfile sets them; nothing was trained."
            )
        return len(listed)

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
            text = report.read_text("utf-8", errors="replace")
        elif self.stopping:
            text = "StoppedBeforeFirstStepError: a stop was asked for while setting up."
        else:
            name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            hint = "; out of host memory?" if code == -signal.SIGKILL else ""
            text = f"WorkerKilled: process {rank} ended with {name}{hint}"
        write_failure(self.root, "failure", text)
        return code if code > 0 else 128 - code

    def _failure_report(self, rank: int) -> Path:
        return self.root / "output" / f"failure.rank{rank}"

    def _failure_time(self, rank: int) -> float:
        report = self._failure_report(rank)
        return report.stat().st_mtime if report.is_file() else float("inf")


def ml_root(environment: Mapping[str, str]) -> Path:
    """The root of the job's folders: `/opt/ml` unless `SM_ML_ROOT` says otherwise."""
    return Path(environment.get("SM_ML_ROOT", "/opt/ml"))


def gpus_of_driver() -> list[str]:
    """Name and driver version of each GPU, as the driver reports them; empty without a driver.

    Where only nvidia-smi is missing or fails, the GPUs are the device files that the container got;
    what is wrong with them is told by the process that tries to use one.
    """
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        asked = subprocess.run(  # noqa: S603 - a fixed command, on PATH wherever a GPU is
            query, capture_output=True, text=True, check=True, timeout=DRIVER_ANSWERS_S
        )
    except (OSError, subprocess.SubprocessError):
        return [device.name for device in sorted(Path("/dev").glob("nvidia[0-9]*"))]
    return asked.stdout.splitlines()


def free_port() -> int:
    """A free port for the process group of one host."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def failure_text(error: BaseException) -> str:
    """The text of a failure file: class name and message, cut to FAILURE_LIMIT."""
    return f"{type(error).__name__}: {error}"[:FAILURE_LIMIT]


def write_failure(root: Path, name: str, text: str) -> None:
    """Write a failure file below `root`; where that is impossible, standard error has the text."""
    try:
        (root / "output").mkdir(parents=True, exist_ok=True)
        (root / "output" / name).write_text(text[:FAILURE_LIMIT], "utf-8")
    except OSError as error:
        sys.stderr.write(f"{text}\nThe failure file cannot be written: {error}\n")


if __name__ == "__main__":  # SageMaker passes the argument "train", which is ignored
    sys.exit(Launcher(os.environ).run())
