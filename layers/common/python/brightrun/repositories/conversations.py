"""Conversation rows in DynamoDB, newest first."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from brightrun.domain.conversation_record import ConversationRecord
from brightrun.domain.pages import Page
from brightrun.errors import NotFoundError
from brightrun.repositories.dynamodb import (
    decode_cursor,
    from_wire,
    query_page,
    to_wire,
    translated,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

BY_CREATED_AT = "by_created_at"


class DynamoConversations:
    """ports.ConversationReads; the rows are written with their items (batch_claims.py)."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def conversation(self, owner_id: str, conversation_id: str) -> ConversationRecord:
        """Read one conversation's row; raises NotFoundError."""
        with translated("GetItem"):
            answer = self._client.get_item(
                TableName=self._table,
                Key=to_wire({"owner_id": owner_id, "conversation_id": conversation_id}),
            )
        if "Item" not in answer:
            raise NotFoundError("conversation", conversation_id)
        return _record(from_wire(answer["Item"]))

    def conversations(
        self, owner_id: str, filters: Mapping[str, str], *, limit: int, cursor: str | None
    ) -> Page[ConversationRecord]:
        """List conversations whose attributes equal the filters, newest first."""
        request: dict[str, Any] = {}
        if filters:
            request["FilterExpression"] = " AND ".join(f"#{name} = :{name}" for name in filters)
        if start := decode_cursor(cursor, owner_id=owner_id):
            request["ExclusiveStartKey"] = start
        rows, following = query_page(
            self._client,
            limit=limit,
            key_attributes=("owner_id", "conversation_id", "created_at"),
            TableName=self._table,
            IndexName=BY_CREATED_AT,
            ScanIndexForward=False,
            KeyConditionExpression="#owner_id = :owner_id",
            ExpressionAttributeNames={f"#{name}": name for name in ("owner_id", *filters)},
            ExpressionAttributeValues=to_wire(
                {":owner_id": owner_id, **{f":{name}": value for name, value in filters.items()}}
            ),
            **request,
        )
        return Page(tuple(_record(row) for row in rows), following)


def _record(row: Mapping[str, Any]) -> ConversationRecord:
    names = {field.name for field in dataclasses.fields(ConversationRecord)}
    return ConversationRecord(**{name: value for name, value in row.items() if name in names})
