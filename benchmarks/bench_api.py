"""How long lists of conversations take, and how many reads, at 50, 5,000 and 50,000 of them.

`make bench-api` runs it. The rows are those of a real batch, stored again under new ids, times,
scores and topics; requests go through the HTTP API of a metered engine, one after the other.
"""

from __future__ import annotations

import argparse
import random
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from statistics import quantiles
from typing import Any
from urllib.parse import urlencode

from benchmarks.batch_system import BenchmarkSystem, Refused, engine
from brightrun.aws.dynamodb import from_wire, to_wire
from brightrun.conversations.model import ConversationRecord
from brightrun.core.rows import from_row
from brightrun.core.timestamps import iso
from local.deploy.clients import client

SIZES = (50, 5_000, 50_000)
LIST = "/api/conversations"
_READS = ("BatchGetItem", "GetItem", "Query", "Scan")
_MODELS = 8
"""Conversations of the real batch that rows are modelled on."""
_WRITES = 200
"""Items of the batch that goes on while lists are read."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One kind of request: milliseconds, reads a request, read units a request, and kilobytes."""

    name: str
    p50_ms: float
    p95_ms: float
    reads: float
    read_units: float
    kilobytes: float


class Conversations:
    """The conversations of one engine."""

    def __init__(self, system: BenchmarkSystem) -> None:
        self._system = system
        self._dynamodb = client("dynamodb", system.api_url)
        tables = self._dynamodb.list_tables()["TableNames"]
        (self._table,) = [name for name in tables if "ConversationsTable" in name]
        self._random = random.Random(1)  # noqa: S311 - rows, not a secret
        system.run(_MODELS)
        self._items = self._dynamodb.scan(TableName=self._table)["Items"]
        self._began = datetime.now(UTC) - timedelta(days=60)
        self.count = len(self._items)

    def grow(self, count: int) -> None:
        """Store rows until there are so many."""
        rows = (self._another(number) for number in range(self.count, count))
        while some := list(islice(rows, 25)):
            puts = [{"PutRequest": {"Item": item}} for item in some]
            self._dynamodb.batch_write_item(RequestItems={self._table: puts})
        self.count = count

    def _another(self, number: int) -> dict[str, Any]:
        draw = self._random
        model, mixed = draw.choice(self._items), draw.choice(self._items)
        at = iso(self._began + timedelta(seconds=number * 60))
        score = draw.choice([None, *(score / 10 for score in range(10, 51))])
        return {
            **{name: value for name, value in model.items() if name != "quality_score"},
            "training_topic_id": mixed["training_topic_id"],
            "training_topic_key": mixed["training_topic_key"],
            **to_wire(
                {
                    "conversation_id": str(uuid.UUID(int=draw.getrandbits(128), version=4)),
                    "status": draw.choice(["pending_review", "approved", "rejected"]),
                    "quality_score": score,
                    "turn_count": draw.randrange(6, 20, 2),
                    "created_at": at,
                    "updated_at": at,
                }
            ),
        }

    def requests(self) -> Iterator[tuple[str, str]]:
        """The names and paths of what is measured."""
        one = from_row(ConversationRecord, from_wire(self._items[0]))
        last = -(-self.count // 25)
        cursor = self._system.request("GET", f"{LIST}?limit=25")["next_cursor"]
        queries: dict[str, Mapping[str, Any]] = {
            "first page": {},
            "first page of 100": {"limit": 100},
            "next page by cursor": {"cursor": cursor} if cursor else {},
            "page 25": {"page": 25},
            "last page": {"page": last},
            "status": {"status": "approved"},
            "tier": {"tier": one.tier},
            "persona": {"persona_id": one.persona_id},
            "arc": {"emotional_arc_id": one.emotional_arc_id},
            "topic": {"training_topic_id": one.training_topic_id},
            "batch": {"batch_job_id": one.batch_job_id},
            "enrichment status": {"enrichment_status": "completed"},
            "quality": {"quality_min": 3, "quality_max": 4},
            "search": {"search": f"{one.conversation_name.split()[0]} {one.training_topic_key}"},
            "search without a match": {"search": "nobody at all"},
            "by quality": {"sortBy": "quality_score"},
            "by turns, rising": {"sortBy": "turn_count", "sortDirection": "asc"},
            "by change": {"sortBy": "updated_at"},
            "all at once": {
                "status": "approved",
                "quality_min": 2,
                "search": one.training_topic_key,
                "sortBy": "quality_score",
                "page": 2,
            },
        }
        yield from ((name, f"{LIST}?{urlencode(query)}") for name, query in queries.items())
        yield "statistics", f"{LIST}/stats"
        yield "coverage", f"{LIST}/coverage"
        yield "one conversation", f"{LIST}/{one.conversation_id}"


def measure(system: BenchmarkSystem, name: str, path: str, times: int) -> Measured:
    """Make one request so many times."""
    before = system.counts()
    took, size = [], 0
    for _ in range(times):
        began = time.perf_counter()
        body = system.request("GET", path)
        took.append((time.perf_counter() - began) * 1000)
        size = len(str(body))
    counts = system.counts()
    counts.subtract(before)
    reads = sum(counts[f"requests DynamoDB {action}"] for action in _READS)
    units = sum(count for key, count in counts.items() if key.startswith("read units"))
    return Measured(name, *_quantiles(took), reads / times, units / times, size / 1000)


def _quantiles(took: Sequence[float]) -> tuple[float, float]:
    cut = quantiles(took, n=20, method="inclusive")
    return cut[9], cut[18]


def measure_during_a_batch(system: BenchmarkSystem) -> Measured:
    """Read first pages for as long as a batch is being written."""
    batch = threading.Thread(target=system.run, args=(_WRITES,))
    batch.start()
    took: list[float] = []
    while batch.is_alive():
        began = time.perf_counter()
        system.request("GET", LIST)
        took.append((time.perf_counter() - began) * 1000)
        time.sleep(0.05)
    batch.join()
    return Measured(f"first page during a batch of {_WRITES}", *_quantiles(took), 0, 0, 0)


def first_list_ms(system: BenchmarkSystem) -> float:
    """The time of the first list of a process, asked again for as long as it reads on."""
    began = time.perf_counter()
    while True:
        try:
            system.request("GET", LIST)
        except Refused as refused:
            if refused.status != HTTPStatus.SERVICE_UNAVAILABLE:
                raise
        else:
            return (time.perf_counter() - began) * 1000


def report(count: int, first_ms: float, rows: Sequence[Measured]) -> None:
    """Print what was measured of so many conversations."""
    print(f"\n{count} conversations; the first list of a process: {first_ms:.0f} ms")
    print(f"{'request':<34}{'p50 ms':>9}{'p95 ms':>9}{'reads':>7}{'units':>7}{'KB':>7}")
    for row in rows:
        print(
            f"{row.name:<34}{row.p50_ms:>9.1f}{row.p95_ms:>9.1f}{row.reads:>7.2f}"
            f"{row.read_units:>7.1f}{row.kilobytes:>7.1f}"
        )


def main() -> None:
    """Measure every size on an engine of its own, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--template-dir", type=Path, default=Path("cdk.out"))
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--requests", type=int, default=40)
    arguments = parser.parse_args()
    for count in arguments.sizes:
        with engine(arguments.template_dir, call_seconds=0.5, metered=True) as system:
            conversations = Conversations(system)
            conversations.grow(count)
            first_ms = first_list_ms(system)
            rows = [
                measure(system, name, path, arguments.requests)
                for name, path in conversations.requests()
            ]
            report(count, first_ms, [*rows, measure_during_a_batch(system)])


if __name__ == "__main__":
    main()
