"""What a tree of processes uses: processor seconds, memory, and how many there are."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_SAMPLE_S = 0.5
_PROC = Path("/proc")


@dataclass(slots=True)
class ProcessUsage:
    """Of one process and all below it, while they were watched.

    `cpu_s` is user and system time. Memory in MB, at its peak: `pss_mb` counts a page that several
    processes share once, `rss_mb` once for each of them.
    """

    cpu_s: float = 0.0
    rss_mb: int = 0
    pss_mb: int = 0
    processes: int = 0


@contextmanager
def watched(root: int) -> Iterator[ProcessUsage]:
    """Watch a process and those below it; a process that ends meanwhile keeps what it used.

    The result is complete when the block has ended.
    """
    usage = ProcessUsage()
    before = _cpu_seconds(root)
    seen = dict(before)
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_SAMPLE_S):
            seen.update(_cpu_seconds(root))
            _note_memory(usage, list(seen))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield usage
    finally:
        ended.set()
        watching.join()
        seen.update(_cpu_seconds(root))
        usage.cpu_s = sum(seen.values()) - sum(before.values())


def _note_memory(usage: ProcessUsage, processes: list[int]) -> None:
    sizes = [size for process in processes if (size := _memory_kb(process))]
    usage.rss_mb = max(usage.rss_mb, sum(rss for rss, _ in sizes) // 1024)
    usage.pss_mb = max(usage.pss_mb, sum(pss for _, pss in sizes) // 1024)
    usage.processes = max(usage.processes, len(sizes))


def _memory_kb(process: int) -> tuple[int, int] | None:
    """Resident and proportional set size; None for a process that has ended."""
    try:
        lines = (_PROC / str(process) / "smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return None
    sizes = {
        name: int(text.split()[0]) for name, _, text in (line.partition(":") for line in lines)
    }
    return sizes["Rss"], sizes["Pss"]


def _cpu_seconds(root: int) -> dict[int, float]:
    """The processor seconds of a process and of each below it, by process id."""
    parents: dict[int, int] = {}
    seconds: dict[int, float] = {}
    for folder in _PROC.iterdir():
        if folder.name.isdigit() and (stat := _stat(folder)):
            parents[int(folder.name)] = int(stat[1])
            seconds[int(folder.name)] = (int(stat[11]) + int(stat[12])) / _TICKS_A_SECOND
    return {process: used for process, used in seconds.items() if _is_below(process, root, parents)}


def _stat(folder: Path) -> list[str] | None:
    """The fields behind the command's name; None for a process that has ended."""
    try:
        return (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _is_below(process: int, root: int, parents: dict[int, int]) -> bool:
    while process in parents and process != root:
        process = parents[process]
    return process == root
