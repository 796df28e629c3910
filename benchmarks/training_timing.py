"""Clocks, memory and the ceiling of the machine that a training benchmark runs on."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field

import torch

WARM_UP = 2
"""Steps before the timed ones: caches fill, allocators settle."""


@dataclass
class Measured:
    """What the timed steps of one run came to."""

    seconds: list[float] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    pairs: list[int] = field(default_factory=list)


def now(device: torch.device) -> float:
    """Seconds on the wall with a GPU; without one this process's own, whatever else runs."""
    if device.type != "cuda":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def peak_memory(device: torch.device) -> float | None:
    """GiB at the highest; None without a GPU."""
    return torch.cuda.max_memory_allocated() / 2**30 if device.type == "cuda" else None


def measured_peak(device: torch.device) -> float:
    """FLOP/s of a large square matrix product on random data: the ceiling of this very machine."""
    size, dtype = (8192, torch.bfloat16) if device.type == "cuda" else (1024, torch.float32)
    left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    times = []
    for number in range(13):
        began = now(device)
        left @ right
        if number >= 3:
            times.append(now(device) - began)
    return 2.0 * size**3 / statistics.median(times)
