"""The guard of a container: ends all its processes when the engine has ended.

Run as a script with the read end of a pipe and the container's command; it imports nothing of
this project. The engine holds the pipe's write end and never writes: its end, or the engine
closing it, kills the container at once, as the end of an instance does. SIGTERM is forwarded,
the container's exit code is the guard's own.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from types import FrameType

_SET_CHILD_SUBREAPER = 36
"""Linux: orphans of the container become children of the guard. Source: prctl(2)."""

KILLED = 128 + signal.SIGKILL


class Guard:
    """Runs one command to its end."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = False

    def run(self, lifeline: int, command: list[str]) -> int:
        """Run the command; returns its exit code, 128 and the number for a signal."""
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1)
        signal.signal(signal.SIGTERM, self._forward)
        threading.Thread(target=_kill_at_end_of, args=(lifeline,), daemon=True).start()
        self._process = subprocess.Popen(command)
        if self._stopping:  # the signal came while starting
            self._process.terminate()
        code = self._process.wait()
        kill_descendants()
        return code if code >= 0 else 128 - code

    def _forward(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        if self._process is not None:
            # Not send_signal: it would collect the exit status that run is waiting for.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGTERM)


def kill_descendants() -> None:
    """Kill every process below this one; they are frozen first, so that none starts another."""
    frozen: set[int] = set()
    while fresh := _descendants(os.getpid()) - frozen:
        _signal_all(fresh, signal.SIGSTOP)
        frozen |= fresh
    _signal_all(frozen, signal.SIGKILL)


def _kill_at_end_of(lifeline: int) -> None:
    os.read(lifeline, 1)
    kill_descendants()
    os._exit(KILLED)


def _descendants(root: int) -> set[int]:
    listing = subprocess.Popen(["ps", "-A", "-o", "pid=,ppid=,stat="], stdout=subprocess.PIPE)
    output, _ = listing.communicate()
    children: dict[int, list[int]] = {}
    for line in output.decode().splitlines():
        pid, parent, state = line.split(None, 2)
        if int(pid) != listing.pid and not state.startswith("Z"):
            children.setdefault(int(parent), []).append(int(pid))
    found: set[int] = set()
    unvisited = [root]
    while unvisited:
        below = children.get(unvisited.pop(), [])
        found.update(below)
        unvisited += below
    return found


def _signal_all(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


if __name__ == "__main__":
    sys.exit(Guard().run(int(sys.argv[1]), sys.argv[2:]))
