"""Delivered models in DynamoDB, newest first; a model's row is made when its job is settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brightrun.domain.model_artifact import ModelArtifact, read_model_artifact
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


class DynamoModels:
    """ports.training.ModelRepository; ids are time-ordered, so that listing by id lists by age."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def model(self, owner_id: str, model_id: str) -> ModelArtifact:
        """Read one row; raises NotFoundError."""
        with translated("GetItem"):
            answer = self._client.get_item(
                TableName=self._table,
                Key=to_wire({"owner_id": owner_id, "model_id": model_id}),
                ConsistentRead=True,
            )
        if "Item" not in answer:
            raise NotFoundError("model", model_id)
        return read_model_artifact(from_wire(answer["Item"]))

    def models(self, owner_id: str, *, limit: int, cursor: str | None) -> Page[ModelArtifact]:
        """List an owner's models, newest first."""
        request: dict[str, Any] = {}
        if start := decode_cursor(cursor, owner_id=owner_id):
            request["ExclusiveStartKey"] = start
        rows, following = query_page(
            self._client,
            limit=limit,
            key_attributes=("owner_id", "model_id"),
            TableName=self._table,
            ScanIndexForward=False,
            KeyConditionExpression="owner_id = :owner",
            ExpressionAttributeValues=to_wire({":owner": owner_id}),
            **request,
        )
        return Page(tuple(read_model_artifact(row) for row in rows), following)
