"""The meter against DynamoDB's documented rules of what a request costs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.batch_meter import (
    Meter,
    object_kind,
    read_units,
    refused_write_units,
    table_of,
)

TABLE = "Stack-ConversationsTableF00-A1"


@pytest.fixture(scope="module")
def table() -> Iterator[str]:
    ask(
        "CreateTable",
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("id", "at")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_at",
                "KeySchema": [{"AttributeName": "at", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    yield TABLE
    ask("DeleteTable", TableName=TABLE)


def ask(action: str, **request: Any) -> dict[str, Any]:
    from ministack.services import dynamodb

    headers = {"x-amz-target": f"DynamoDB_20120810.{action}"}
    body = json.dumps(request).encode()
    status, _, content = asyncio.run(dynamodb.handle_request("POST", "/", headers, body, {}))
    assert status == 200, content
    answer: dict[str, Any] = json.loads(content)
    return answer


def row(key: str, size: int, *, indexed: bool = False) -> dict[str, Any]:
    """A row of exactly so many bytes: names and values in UTF-8."""
    item = {"id": {"S": key}, **({"at": {"S": "now"}} if indexed else {})}
    used = sum(len(name) + len(value["S"]) for name, value in item.items())
    return {**item, "x": {"S": "x" * (size - used - 1)}}


def metered(action: str, request: dict[str, Any]) -> float:
    meter = Meter()
    answer = ask(action, **request, ReturnConsumedCapacity="TOTAL")
    meter.database(action, request, answer)
    counts: dict[str, float] = json.loads(meter.document())
    return counts[f"write units Conversations {action}"]


@pytest.mark.parametrize(("size", "units"), [(100, 1), (1024, 1), (1025, 2), (3000, 3)])
def test_a_write_costs_a_unit_for_each_kilobyte_begun(table: str, size: int, units: int) -> None:
    request = {"TableName": table, "Item": row(f"plain-{size}", size)}
    assert metered("PutItem", request) == units


def test_a_write_costs_its_index_as_much_again(table: str) -> None:
    request = {"TableName": table, "Item": row("indexed", 1025, indexed=True)}
    assert metered("PutItem", request) == 2 + 2


def test_a_transaction_doubles_the_tables_units_and_not_the_indexs(table: str) -> None:
    put = {"Put": {"TableName": table, "Item": row("in-transaction", 1025, indexed=True)}}
    assert metered("TransactWriteItems", {"TransactItems": [put]}) == 2 * 2 + 2


def test_a_batch_write_costs_what_its_rows_cost_one_by_one(table: str) -> None:
    puts = [{"PutRequest": {"Item": row(f"batch-{size}", size)}} for size in (10 * 100, 1025)]
    assert metered("BatchWriteItem", {"RequestItems": {table: puts}}) == 1 + 2


def test_an_update_costs_the_larger_of_the_row_before_and_after(table: str) -> None:
    ask("PutItem", TableName=table, Item=row("shrinking", 2500))
    request = {
        "TableName": table,
        "Key": {"id": {"S": "shrinking"}},
        "UpdateExpression": "SET x = :x",
        "ExpressionAttributeValues": {":x": {"S": "x"}},
    }
    assert metered("UpdateItem", request) == 3


@pytest.mark.parametrize(("size", "units"), [(0, 1), (4096, 1), (4097, 2), (700 * 25, 5)])
def test_a_read_costs_a_unit_for_each_four_kilobytes_and_half_when_it_may_lag(
    size: int, units: int
) -> None:
    assert read_units(size, consistent=True) == units
    assert read_units(size, consistent=None) == units / 2


def test_a_write_whose_condition_fails_costs_what_it_would_have_cost() -> None:
    assert refused_write_units("UpdateItem", {}) == 1
    assert refused_write_units("TransactWriteItems", {"TransactItems": [{}, {}, {}]}) == 6


def test_objects_and_tables_are_counted_by_what_they_hold() -> None:
    assert object_kind("/bucket/raw/owner/id.json") == "raw"
    assert object_kind("/bucket/owner/id/conversation.json") == "conversation.json"
    assert table_of("BrightRunData-BatchItemsTableDCC4910E-E4FDB1721D75D") == "BatchItems"
