"""What writes the conversations: Claude, if there is an API key, or the Claude simulator.

The simulator is a child process that ends with the engine's lifeline.
"""

import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from local.claude_check import ADDRESS, ClaudeRefused, check_claude
from local.deploy.cloud_assembly import StackArtifact
from local.errors import LocalError
from local.settings import HOST, DataFolder, Settings

SHORTER_PAUSES = {
    "LeaseSeconds": "10",
    "RetryBaseSeconds": "1",
    "WatchSeconds": "1",
    "CapacityRetrySeconds": "2",
}
"""Shorter than on AWS: a killed local run resumes soon, and a short training shows progress."""


class SimulatorFailed(LocalError):
    """The Claude simulator did not start."""


@dataclass(frozen=True)
class Generator:
    """The chosen generator: its display name, and the stack parameters that configure it.

    `notice` is what its owner should know: that its model retires soon.
    """

    name: str
    parameters: Mapping[str, str]
    simulator: subprocess.Popen[str] | None = None
    notice: str | None = None

    def stop(self) -> None:
        """Stop the simulator, if there is one."""
        if self.simulator is not None:
            self.simulator.terminate()
            self.simulator.communicate()


def choose_generator(
    settings: Settings, stacks: Sequence[StackArtifact], folder: DataFolder, lifeline: int
) -> Generator:
    """Use Claude when a key is set, else start the simulator on the port after the engine's.

    Raises SimulatorFailed, and ClaudeRefused for a model, key or address that cannot be used.
    """
    common = {**SHORTER_PAUSES, **settings.spending}
    if not any(stack.parameters_from({"ClaudeProvider": ""}) for stack in stacks):
        return Generator("none", common)
    if settings.claude_model:
        common["ClaudeModel"] = settings.claude_model
    if settings.anthropic_api_key:
        notice = _check_claude(settings, settings.anthropic_api_key, stacks)
        address = settings.claude_base_url or ""
        direct = {**common, "ClaudeProvider": "direct", "ClaudeBaseUrl": address}
        return Generator("claude", direct, notice=notice)
    port = free_port_or_any(settings.port + 1) if settings.port else 0
    log = folder.logs / "claude_simulator.log"
    process = _start_simulator(settings.simulator_latency_seconds, port, log, lifeline)
    url = _wait_until_ready(process, log)
    simulated = {**common, "ClaudeProvider": "simulator", "ClaudeBaseUrl": url}
    return Generator("simulated", simulated, process)


def free_port_or_any(port: int) -> int:
    """Return the port if it is free, else 0, which means any free one."""
    with socket.socket() as probe:
        return 0 if probe.connect_ex((HOST, port)) == 0 else port


def _check_claude(settings: Settings, api_key: str, stacks: Sequence[StackArtifact]) -> str | None:
    """Refuse a Claude that cannot be used; returns a notice of the model's retirement."""
    from brightrun.claude.registry import claude_model, retirement_notice
    from brightrun.core.errors import UnusableModelError

    name, today = settings.claude_model or _default_model(stacks), datetime.now(UTC).date()
    try:
        model = claude_model(name, today)
    except UnusableModelError as error:
        raise ClaudeRefused(f"{error.message} It is named in BRIGHTRUN_CLAUDE_MODEL.") from None
    announced = None
    if settings.checks_claude:
        announced = check_claude(settings.claude_base_url or ADDRESS, api_key, model.id)
    return retirement_notice(model, today, announced)


def _default_model(stacks: Sequence[StackArtifact]) -> str:
    """Return the model that the templates name where no other is chosen."""
    parameters = [stack.content.get("Parameters", {}).get("ClaudeModel") for stack in stacks]
    return next(str(parameter["Default"]) for parameter in parameters if parameter)


def _start_simulator(
    latency_seconds: str | None, port: int, log: Path, lifeline: int
) -> subprocess.Popen[str]:
    arguments = ["--port", str(port)]
    if latency_seconds:
        arguments += ["--latency-seconds", latency_seconds]
    with log.open("ab") as errors:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "local.lifeline",
                str(lifeline),
                "local.claude_simulator",
                *arguments,
            ],
            cwd=Path(__file__).parents[1],
            pass_fds=[lifeline],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )


def _wait_until_ready(process: subprocess.Popen[str], log: Path) -> str:
    for line in process.stdout or ():
        word, _, url = line.strip().partition(" ")
        if word == "READY":
            return url
    process.communicate()
    raise SimulatorFailed(f"The Claude simulator ended with {process.returncode}; see {log}.")
