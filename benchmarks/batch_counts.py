"""What batches of several sizes ask of the database and of S3, and what one more item asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import astuple, dataclass

from benchmarks.batch_system import BenchmarkSystem, Run

SIZES = (20, 200, 1000)

_WRITE_ACTIONS = ("BatchWriteItem", "PutItem", "TransactWriteItems", "UpdateItem")
_READ_ACTIONS = ("GetItem", "Query")


@dataclass(frozen=True, slots=True)
class Usage:
    """What was asked for: requests, and DynamoDB's request units."""

    writes: float
    reads: float
    write_units: float
    read_units: float
    puts: float
    gets: float

    @classmethod
    def of(cls, counts: Mapping[str, float]) -> Usage:
        """Add up a meter's counts."""
        return cls(
            writes=sum(counts[f"requests DynamoDB {action}"] for action in _WRITE_ACTIONS),
            reads=sum(counts[f"requests DynamoDB {action}"] for action in _READ_ACTIONS),
            write_units=_sum(counts, "write units "),
            read_units=_sum(counts, "read units "),
            puts=_sum(counts, "s3 PUT "),
            gets=_sum(counts, "s3 GET "),
        )

    def per_item_from(self, smaller: Usage, items: int) -> Usage:
        """What each of the `items` more asked for that were not in the smaller batch."""
        more = self.without(smaller)
        return Usage(*(amount / items for amount in astuple(more)))

    def without(self, part: Usage) -> Usage:
        """What is left when a part is taken away."""
        pairs = zip(astuple(self), astuple(part), strict=True)
        return Usage(*(whole - taken for whole, taken in pairs))


@dataclass(frozen=True, slots=True)
class Counted:
    """One batch and the meter's counts of it."""

    items: int
    run: Run
    counts: Counter[str]

    @property
    def usage(self) -> Usage:
        """All that the batch asked for."""
        return Usage.of(self.counts)


def count_batches(system: BenchmarkSystem) -> list[Counted]:
    """Run a batch of each size with one call in flight a worker, so that no claims are shared.

    That is the most that an item can ask for: with more calls in flight, those that end together
    are claimed together. A first batch is left out of the counts: its workers are being started.
    """
    system.run(3)
    counted = []
    for items in SIZES:
        before = system.counts()
        run = system.run(items, calls=1)
        after = system.counts()
        after.subtract(before)
        counted.append(Counted(items, run, after))
    return counted


def per_item(counted: list[Counted]) -> tuple[Usage, Usage]:
    """What one more item asks for: between the two smaller sizes, and between the two larger."""
    small, middle, large = counted
    return (
        middle.usage.per_item_from(small.usage, middle.items - small.items),
        large.usage.per_item_from(middle.usage, large.items - middle.items),
    )


def enrichment(counts: Mapping[str, float]) -> Usage:
    """The part of the counts that the enrichment of what was written has asked for.

    Its results are part of the conversation's row, and no write of their own.
    """
    return Usage(
        writes=0,
        reads=0,
        write_units=0,
        read_units=counts["read units Conversations"],
        puts=counts["s3 PUT enriched.json"],
        gets=0,
    )


def _sum(counts: Mapping[str, float], start: str) -> float:
    return sum(amount for name, amount in counts.items() if name.startswith(start))
