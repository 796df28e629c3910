"""A client that takes rows from the response's JSON answers what botocore's parser answers."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from brightrun.aws.dynamodb import read_rows_directly
from tests.aws import Aws

KEY = {"owner_id": {"S": "o"}, "log_id": {"S": "1"}}
PLAIN = {
    **KEY,
    "text": {"S": 'a "B": in a text, and a \u2028 line'},
    "number": {"N": "-0.5"},
    "truth": {"BOOL": False},
    "nothing": {"NULL": True},
    "list": {"L": [{"S": ""}, {"M": {"deep": {"N": "1"}}}]},
    "set": {"SS": ["x", "y"]},
}
BINARY = {**PLAIN, "request": {"B": b"\x00\xff"}, "set": {"BS": [b"1", b"2"]}}
TABLE = "GenerationLogsTable"
QUERY = {
    "KeyConditionExpression": "owner_id = :owner",
    "ExpressionAttributeValues": {":owner": {"S": "o"}},
}


@pytest.fixture
def clients(aws: Aws) -> tuple[Any, Any]:
    """A client with botocore's parser, and one that reads rows directly."""
    parsing, direct = (boto3.client("dynamodb", region_name="us-east-1") for _ in range(2))
    read_rows_directly(direct)
    return parsing, direct


def answers(clients: tuple[Any, Any], operation: str, **request: Any) -> list[dict[str, Any]]:
    found = [getattr(client, operation)(**request) for client in clients]
    for one in found:
        del one["ResponseMetadata"]
    return found


@pytest.mark.parametrize("item", [PLAIN, BINARY], ids=["plain", "binary"])
def test_rows_are_what_the_parser_makes_of_them(
    clients: tuple[Any, Any], item: dict[str, Any]
) -> None:
    clients[0].put_item(TableName=TABLE, Item=item)
    parsed, direct = answers(clients, "get_item", TableName=TABLE, Key=KEY)
    assert direct == parsed
    assert direct["Item"]["text"] == item["text"]
    parsed, direct = answers(clients, "query", TableName=TABLE, **QUERY)
    assert direct == parsed
    assert direct["Count"] == 1
    keys = {TABLE: {"Keys": [KEY]}}
    parsed, direct = answers(clients, "batch_get_item", RequestItems=keys)
    assert direct == parsed
    assert len(direct["Responses"][TABLE]) == 1


def test_what_is_not_there_has_no_item(clients: tuple[Any, Any]) -> None:
    parsed, direct = answers(clients, "get_item", TableName=TABLE, Key=KEY)
    assert direct == parsed == {}
    parsed, direct = answers(clients, "query", TableName=TABLE, Select="COUNT", **QUERY)
    assert direct == parsed


def test_pages_go_on_where_the_last_one_ended(clients: tuple[Any, Any]) -> None:
    for number in range(3):
        clients[0].put_item(TableName=TABLE, Item={**PLAIN, "log_id": {"S": str(number)}})
    for client in clients:
        pages = client.get_paginator("query").paginate(
            TableName=TABLE, PaginationConfig={"PageSize": 2}, **QUERY
        )
        assert [len(page["Items"]) for page in pages] == [2, 1]


def test_an_error_stays_one(clients: tuple[Any, Any]) -> None:
    for client in clients:
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            client.get_item(TableName="NoSuchTable", Key=KEY)
