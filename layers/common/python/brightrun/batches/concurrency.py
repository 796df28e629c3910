"""How a job's calls are divided among its workers."""

from __future__ import annotations

from dataclasses import dataclass

from brightrun.batches.model import MAX_CALLS_PER_WORKER


def calls_per_worker(total_items: int, workers: int, at_most: int | None = None) -> int:
    """Divide the items among the workers, with at most MAX_CALLS_PER_WORKER in flight each.

    `at_most` is a lower limit that the caller may set.
    """
    fair_share = max(1, -(-total_items // workers))
    return min(fair_share, MAX_CALLS_PER_WORKER, at_most or MAX_CALLS_PER_WORKER)


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How a job's calls are divided: its workers, and the most calls that each has in flight.

    `calls_in_flight` is the limit on all calls together, None where only each worker has one.
    """

    workers: int
    calls_per_worker: int
    calls_in_flight: int | None = None

    @classmethod
    def of_calls(cls, calls: int, total_items: int) -> Concurrency:
        """As few workers as can have so many calls in flight, at most one for each item."""
        wanted = max(1, min(calls, total_items))
        workers = -(-wanted // MAX_CALLS_PER_WORKER)
        return cls(workers, -(-wanted // workers), wanted)

    @classmethod
    def of_workers(cls, workers: int, total_items: int, at_most: int | None = None) -> Concurrency:
        """Divide the items among so many workers, each with `at_most` calls in flight."""
        workers = max(1, min(workers, total_items))
        return cls(workers, calls_per_worker(total_items, workers, at_most))

    @property
    def most_calls(self) -> int:
        """Calls in flight of all workers together, at the most."""
        return self.calls_in_flight or self.workers * self.calls_per_worker
