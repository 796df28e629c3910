"""What lists of conversations read of the tables: as much of many conversations as of few."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from brightrun.core.timestamps import iso
from tests.aws import Aws
from tests.builders import SteppedClock
from tests.handlers.gateway import Api
from tests.handlers.seeds import Seeds

LIST = "GET /api/conversations"
FEW, MANY = 20, 60
QUERIES: list[dict[str, Any]] = [
    {},
    {"page": 2, "limit": 5},
    {"page": 3, "limit": 5},
    {"status": "approved"},
    {"tier": "template"},
    {"enrichment_status": "not_started"},
    {"quality_min": 2, "quality_max": 4},
    {"search": "marcus"},
    {"sortBy": "quality_score"},
    {"sortBy": "turn_count", "sortDirection": "asc"},
    {"sortBy": "updated_at", "status": "approved", "search": "roth", "page": 1},
]
REQUESTS = [*((LIST, query) for query in QUERIES), (f"{LIST}/stats", {}), (f"{LIST}/coverage", {})]


class Reads:
    """Counts the requests to DynamoDB."""

    def __init__(self, aws: Aws) -> None:
        self._counted: Counter[str] = Counter()
        events = aws.dynamodb.meta.events
        events.unregister("before-call.dynamodb", unique_id="reads")
        events.register("before-call.dynamodb", self._count, unique_id="reads")

    def _count(self, model: Any, **_: Any) -> None:
        self._counted[model.name] += 1

    def of(self, api: Api, route: str, query: dict[str, Any]) -> Counter[str]:
        self._counted.clear()
        assert api(route, query={name: str(value) for name, value in query.items()}).status == 200
        return Counter(self._counted)


def store(seeds: Seeds, at: datetime, first: int, last: int) -> None:
    for number in range(first, last):
        seeds.conversation(
            number,
            status="approved" if number % 2 else "pending_review",
            quality_score=1 + number % 4,
            updated_at=iso(at),
        )


def test_a_list_reads_as_much_of_many_conversations_as_of_few(
    api: Api, aws: Aws, seeds: Seeds, clock: SteppedClock
) -> None:
    reads = Reads(aws)
    counted = []
    for first, last in ((0, FEW), (FEW, MANY)):
        store(seeds, clock(), first, last)
        assert api(LIST).body["total"] == last
        clock.advance(300)
        api(LIST)
        clock.advance(10)
        counted.append([reads.of(api, route, query) for route, query in REQUESTS])
    few, many = counted
    assert few == many
    assert {one.total() for one in many} == {1, 2}
    assert {name for one in many for name in one} == {"Query", "BatchGetItem"}
