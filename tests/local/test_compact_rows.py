"""Tables whose rows are kept encoded answer what ministack answers, in a part of its memory."""

from __future__ import annotations

import json
import random
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.ministack_patches import compact_rows

PATCHED = ("_set_item", "_txn_token_store", "copy")


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Ministack's module as it comes; `compact_rows.install` is undone at the end."""
    from ministack.services import dynamodb

    for name in PATCHED:
        monkeypatch.setattr(dynamodb, name, getattr(dynamodb, name))
    yield dynamodb
    dynamodb.reset()


def a_table(dynamodb: Any) -> None:
    dynamodb.reset()
    created = dynamodb._create_table(
        {
            "TableName": "rows",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
            ],
        }
    )
    assert created[0] == 200


def a_key(draw: random.Random) -> dict[str, Any]:
    return {"pk": {"S": f"p{draw.randint(1, 2)}"}, "sk": {"S": f"{draw.randint(0, 9)}"}}


def an_item(draw: random.Random) -> dict[str, Any]:
    members = {
        "number": {"N": str(draw.randint(0, 5))},
        "list": {"L": [{"M": {"text": {"S": "é \U0001f600"}}}, {"NULL": True}]},
        "bytes": {"B": "AAEC"},
        "words": {"SS": ["a", "b"]},
    }
    return {**a_key(draw), **{name: members[name] for name in draw.sample(list(members), 3)}}


def an_update(draw: random.Random) -> dict[str, Any]:
    return {
        "Key": a_key(draw),
        "UpdateExpression": "SET #n = :n, #list[0].#m.#text = :text",
        "ConditionExpression": "attribute_exists(#list) AND #n < :n",
        "ExpressionAttributeNames": {
            "#n": "number",
            "#list": "list",
            "#m": "M",
            "#text": "text",
        },
        "ExpressionAttributeValues": {":n": {"N": str(draw.randint(0, 9))}, ":text": {"S": "new"}},
        "ReturnValues": draw.choice(["ALL_OLD", "ALL_NEW", "UPDATED_NEW", "NONE"]),
    }


def a_count(draw: random.Random) -> dict[str, Any]:
    return {
        "Key": a_key(draw),
        "UpdateExpression": "ADD visits :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
        "ReturnValues": draw.choice(["ALL_OLD", "ALL_NEW", "UPDATED_NEW", "NONE"]),
    }


def a_transaction(draw: random.Random) -> dict[str, Any]:
    counted = {**a_count(draw)}
    del counted["ReturnValues"]
    unless_there = (
        {"ConditionExpression": "attribute_not_exists(pk)"} if draw.random() < 0.3 else {}
    )
    writes = [
        {"Put": {"TableName": "rows", "Item": an_item(draw), **unless_there}},
        {"Update": {"TableName": "rows", **counted}},
        {"Delete": {"TableName": "rows", "Key": a_key(draw)}},
    ]
    return {
        "TransactItems": writes,
        "ClientRequestToken": str(draw.randint(0, 40)),
        "ReturnConsumedCapacity": "TOTAL",
    }


OPERATIONS: dict[str, Callable[[random.Random], dict[str, Any]]] = {
    "_put_item": lambda draw: {"Item": an_item(draw), "ReturnValues": "ALL_OLD"},
    "_update_item": an_update,
    "_delete_item": lambda draw: {"Key": a_key(draw), "ReturnValues": "ALL_OLD"},
    "_get_item": lambda draw: {"Key": a_key(draw)},
    "_query": lambda draw: {
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": a_key(draw)["pk"]},
        "ScanIndexForward": draw.random() < 0.5,
        "Limit": draw.randint(1, 9),
    },
    "_scan": lambda _draw: {},
    "_transact_write_items": a_transaction,
}


def answers(dynamodb: Any, seed: int) -> list[tuple[str, int, Any]]:
    """What the same requests are answered, one after the other."""
    draw = random.Random(seed)  # noqa: S311 - requests to try
    a_table(dynamodb)
    given = []
    for _ in range(400):
        name = draw.choice(list(OPERATIONS))
        if name == "_update_item" and draw.random() < 0.5:
            request = a_count(draw)
        else:
            request = OPERATIONS[name](draw)
        answer = getattr(dynamodb, name)({"TableName": "rows", **request})
        given.append((name, answer[0], json.loads(answer[2])))
    return given


@pytest.mark.parametrize("seed", range(8))
def test_every_request_is_answered_the_same(dynamodb: Any, seed: int) -> None:
    wanted = answers(dynamodb, seed)
    compact_rows.install()
    assert answers(dynamodb, seed) == wanted
    refused = {name for name, status, _ in wanted if status == 400}
    assert refused == {"_update_item", "_transact_write_items"}
    assert {name for name, status, _ in wanted if status == 200} == set(OPERATIONS)


def test_a_row_is_its_readers_own(dynamodb: Any) -> None:
    compact_rows.install()
    a_table(dynamodb)
    item: dict[str, Any] = {"pk": {"S": "p"}, "sk": {"S": "s"}, "list": {"L": [{"S": "stored"}]}}
    dynamodb._put_item({"TableName": "rows", "Item": item})
    item["list"]["L"].append({"S": "by the writer"})
    rows = dynamodb._tables["rows"]["items"]["p"]
    rows["s"]["list"]["L"].append({"S": "by a reader"})
    assert rows["s"]["list"] == {"L": [{"S": "stored"}]}


def test_a_transaction_sent_again_is_applied_once_and_another_is_refused(dynamodb: Any) -> None:
    compact_rows.install()
    a_table(dynamodb)

    def send(amount: str) -> tuple[int, Any]:
        update = {
            "TableName": "rows",
            "Key": {"pk": {"S": "p"}, "sk": {"S": "s"}},
            "UpdateExpression": "ADD visits :amount",
            "ExpressionAttributeValues": {":amount": {"N": amount}},
        }
        request = {"TransactItems": [{"Update": update}], "ClientRequestToken": "t"}
        status, _, body = dynamodb._transact_write_items(request)
        return status, json.loads(body)

    assert send("1") == send("1") == (200, {})
    status, refusal = send("2")
    assert status == 400
    assert refusal["__type"].endswith("IdempotentParameterMismatchException")
    stored = dynamodb._tables["rows"]["items"]["p"]["s"]["visits"]
    assert stored == {"N": "1"}


@pytest.mark.parametrize(
    "value",
    [
        {"a": [{"b": "c"}, 1, 2.5, None, True]},
        [],
        "text",
        {"set": {1, 2}, "bytes": bytearray(b"x"), "tuple": ([1],)},
    ],
)
def test_a_copy_is_equal_and_independent(value: Any) -> None:
    copied = compact_rows.deep_copy(value)
    assert copied == value
    assert type(copied) is type(value)
    assert isinstance(value, str) or copied is not value
    if isinstance(value, dict) and "set" in value:
        copied["set"].add(3)
        copied["tuple"][0].append(2)
        assert (value["set"], value["tuple"]) == ({1, 2}, ([1],))


def test_the_patch_is_needed_for_many_rows(dynamodb: Any) -> None:
    """Fails once upstream keeps rows and transactions smaller; then remove the patch."""
    raw = bytes_of_written_rows(dynamodb)
    compact_rows.install()
    assert bytes_of_written_rows(dynamodb) < raw / 2


def bytes_of_written_rows(dynamodb: Any) -> int:
    """Memory that 200 rows take, each written in a transaction of its own."""
    a_table(dynamodb)
    tracemalloc.start()
    try:
        for number in range(200):
            attributes = {f"attribute{place}": {"S": f"{number}-{place}"} for place in range(20)}
            item = {"pk": {"S": "p"}, "sk": {"S": str(number)}, **attributes}
            # As the engine gets it: nothing of it is shared with the row before.
            request = json.loads(
                json.dumps(
                    {
                        "TransactItems": [{"Put": {"TableName": "rows", "Item": item}}],
                        "ClientRequestToken": str(number),
                    }
                )
            )
            assert dynamodb._transact_write_items(request)[0] == 200
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
