"""Two owners' batches at once, one of which is refused: both report, and share what is learned."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from brightrun.aws.dynamodb import from_wire, to_wire
from brightrun.batches.shared_calls import BEAT_S
from tests.e2e.conftest import Installation

pytestmark = pytest.mark.slow
WITHIN_S = 60.0


def rows(system: Installation, model: str) -> list[dict[str, Any]]:
    """The running workers of a model, and the limit on their calls."""
    dynamodb = system.aws("dynamodb")
    names = dynamodb.list_tables()["TableNames"]
    answer = dynamodb.query(
        TableName=next(name for name in names if "IdempotencyTable" in name),
        KeyConditionExpression="owner_id = :model",
        ExpressionAttributeValues=to_wire({":model": f"#calls#{model}"}),
    )
    return [from_wire(row) for row in answer["Items"]]


def waited_for(find: Callable[[], Any]) -> Any:
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        if found := find():
            return found
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")


def test_batches_of_two_owners_share_a_limit_that_one_refusal_has_told(
    install: Callable[[], Installation],
) -> None:
    system = install()
    system.start(latency_seconds=BEAT_S / 8)
    with system.as_user("second@example.com") as second:
        system.script_claude({"status": 429, "retry_after": 0.1, "times": 1})
        first_job = system.create_batch(callsInFlight=1)  # 12 calls, one after the other
        model = system.client.get(f"/api/batch-jobs/{first_job}", {})["job"]["model"]
        second_job = second.create_batch(callsInFlight=1)

        def owners() -> bool:
            return len({row.get("worker_of") for row in rows(system, model)} - {None}) == 2

        def limit() -> Any:
            found = [row for row in rows(system, model) if row["idempotency_key"] == "limit"]
            return found[0]["thousandths"] if found else None

        assert waited_for(owners)
        assert waited_for(limit) >= 1000
        for one, job_id in ((system, first_job), (second, second_job)):
            assert one.follow(job_id).successful == 12
        assert [row["idempotency_key"] for row in rows(system, model)] == ["limit"]
