"""A query that is given its page alone answers what ministack answers from the whole partition."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from local.ministack_patches.sorted_queries import SortedQueries

KEYS = {"table": ("pk", "sk"), "by_at": ("pk", "at"), "by_number": ("pk", "number")}
KINDS = {"pk": "S", "sk": "S", "at": "S", "number": "N"}
CONDITIONS = (
    "pk = :pk",
    "pk = :pk AND #sort >= :low",
    "pk = :pk AND #sort > :low",
    "pk = :pk AND #sort <= :low",
    "pk = :pk AND #sort < :low",
    "pk = :pk AND #sort = :low",
    "pk = :pk AND #sort BETWEEN :low AND :high",
    "pk = :pk AND begins_with(#sort, :low)",
)


class Tables:
    """One table, asked with and without the patch."""

    def __init__(self, patched: SortedQueries, dynamodb: Any) -> None:
        self.patched = patched
        self.dynamodb = dynamodb
        self.evaluated = 0

    def put(self, item: dict[str, Any]) -> None:
        assert self.dynamodb._put_item({"TableName": "rows", "Item": item})[0] == 200

    def delete(self, key: dict[str, Any]) -> None:
        assert self.dynamodb._delete_item({"TableName": "rows", "Key": key})[0] == 200

    def both(self, request: dict[str, Any]) -> tuple[Any, Any]:
        request = {"TableName": "rows", **request}
        raw = self.patched._query(dict(request))
        ours = self.patched.query(request)
        return (raw[0], json.loads(raw[2])), (ours[0], json.loads(ours[2]))


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tables]:
    from ministack.services import dynamodb

    dynamodb.reset()
    patched = SortedQueries()
    monkeypatch.setattr(dynamodb, "_index_item", patched.index_item)
    created = dynamodb._create_table(
        {
            "TableName": "rows",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": schema("table"),
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": kind} for name, kind in KINDS.items()
            ],
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": name,
                    "KeySchema": schema(name),
                    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["text"]},
                }
                for name in ("by_at", "by_number")
            ],
        }
    )
    assert created[0] == 200
    yield Tables(patched, dynamodb)
    dynamodb.reset()


def schema(name: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": key, "KeyType": kind}
        for key, kind in zip(KEYS[name], ("HASH", "RANGE"), strict=True)
    ]


def an_item(draw: random.Random, text: str = "short") -> dict[str, Any]:
    item = {
        "pk": {"S": f"p{draw.randint(1, 2)}"},
        "sk": {"S": f"{draw.randint(0, 40):02}"},
        "at": {"S": f"{draw.randint(0, 9)}{draw.randint(0, 1)}"},
        "number": {"N": str(draw.randint(-12, 12) / 2)},
        "text": {"S": text},
        "hidden": {"S": "not in the indexes"},
    }
    for name in ("at", "number"):
        if draw.random() < 0.1:
            del item[name]  # not in that index
    return item


def a_query(draw: random.Random, index: str) -> dict[str, Any]:
    sort = KEYS[index][1]
    condition = draw.choice(CONDITIONS)
    low, high = sorted(draw.sample(range(0, 40), 2))
    values: dict[str, Any] = {":pk": {"S": draw.choice(["p1", "p2", "p3"])}}
    if sort == "number":
        bounds = {":low": {"N": str(low / 2 - 10)}, ":high": {"N": str(high / 2 - 10)}}
    else:
        prefix = "begins" in condition
        first = str(low % 4) if prefix else f"{low:02}"
        bounds = {":low": {"S": first}, ":high": {"S": f"{high:02}"}}
    values |= {name: value for name, value in bounds.items() if name in condition}
    return {
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": {"#sort": sort} if "#sort" in condition else {},
        "ExpressionAttributeValues": values,
        "ScanIndexForward": draw.random() < 0.5,
        **({"Limit": draw.randint(1, 12)} if draw.random() < 0.7 else {}),
        **({} if index == "table" else {"IndexName": index}),
    }


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("index", KEYS)
def test_a_query_answers_the_same_page_after_page(tables: Tables, index: str, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - rows and queries to try
    for _ in range(120):
        tables.put(an_item(draw))
    for _ in range(60):
        if draw.random() < 0.5:
            tables.put(an_item(draw))
        else:
            item = an_item(draw)
            tables.delete({"pk": item["pk"], "sk": item["sk"]})
        query = a_query(draw, index)
        for _ in range(40):
            raw, ours = tables.both(query)
            assert ours == raw
            if raw[0] != 200 or "LastEvaluatedKey" not in raw[1]:
                break
            query["ExclusiveStartKey"] = raw[1]["LastEvaluatedKey"]
        else:
            pytest.fail("the pages have no end")


def test_a_page_ends_at_a_megabyte_all_the_same(tables: Tables) -> None:
    draw = random.Random(3)  # noqa: S311 - rows to store
    for _ in range(60):
        tables.put(an_item(draw, "x" * 120_000))
    query: dict[str, Any] = {
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "p1"}},
        "IndexName": "by_at",
    }
    raw, ours = tables.both(query)
    assert ours == raw
    assert 0 < raw[1]["Count"] < 60
    assert "LastEvaluatedKey" in raw[1]


def test_a_filter_looks_at_the_page_only(tables: Tables) -> None:
    draw = random.Random(4)  # noqa: S311 - rows to store
    for number in range(40):
        tables.put(an_item(draw, "even" if number % 2 else "odd"))
    query = {
        "KeyConditionExpression": "pk = :pk",
        "FilterExpression": "#text = :odd",
        "ExpressionAttributeNames": {"#text": "text"},
        "ExpressionAttributeValues": {":pk": {"S": "p1"}, ":odd": {"S": "odd"}},
        "Limit": 9,
    }
    raw, ours = tables.both(query)
    assert ours == raw
    assert (raw[1]["ScannedCount"], 0 < raw[1]["Count"] < 9) == (9, True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"KeyConditionExpression": "pk = :none"},
        {"KeyConditionExpression": "sk = :pk"},
        {"KeyConditionExpression": "pk = :pk AND sk > :number"},
        {"ExclusiveStartKey": {"pk": {"S": "p1"}}},
        {"Limit": 0},
        {"IndexName": "by_nothing"},
        {"TableName": "other"},
    ],
)
def test_a_wrong_query_is_refused_in_the_same_words(tables: Tables, wrong: dict[str, Any]) -> None:
    values = {":pk": {"S": "p1"}}
    if ":number" in wrong.get("KeyConditionExpression", ""):
        values[":number"] = {"N": "1"}
    query = {
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": values,
        **wrong,
    }
    raw, ours = tables.both(query)
    assert ours == raw
    assert raw[0] == 400


def test_the_patch_is_needed_for_long_partitions(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails once upstream reads a page alone; then remove the patch."""
    for number in range(300):
        tables.put({"pk": {"S": "p1"}, "sk": {"S": f"{number:03}"}})
    evaluated = 0
    evaluate = tables.dynamodb._evaluate_condition

    def counting(*arguments: Any, **named: Any) -> Any:
        nonlocal evaluated
        evaluated += 1
        return evaluate(*arguments, **named)

    monkeypatch.setattr(tables.dynamodb, "_evaluate_condition", counting)
    query = {
        "TableName": "rows",
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "p1"}},
        "Limit": 5,
    }
    tables.patched._query(dict(query))
    assert evaluated >= 300
    evaluated = 0
    assert json.loads(tables.patched.query(query)[2])["Count"] == 5
    assert evaluated == 0
