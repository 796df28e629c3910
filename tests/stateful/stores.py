"""A store of batches as the state machine sees it: the three ports, and what they wrote beside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from brightrun.batches.claim_repository import ClaimRepository
from brightrun.batches.repository import BatchRepository
from tests.aws import Aws
from tests.fakes.batches import InMemoryBatches

Conversations = Callable[[str], dict[str, str]]
"""The conversations of an owner: their ids, and the item that each was written for."""


@dataclass(frozen=True)
class Store:
    """`quick`: reading costs so little that everything is read after every step."""

    batches: BatchRepository
    claims: ClaimRepository
    conversations: Conversations
    quick: bool


def in_memory() -> Store:
    memory = InMemoryBatches()

    def conversations(owner: str) -> dict[str, str]:
        return {
            record.conversation_id: record.item_id
            for record in memory.conversations.values()
            if record.owner_id == owner
        }

    return Store(memory, memory, conversations, quick=True)


def in_dynamodb(aws: Aws) -> Store:
    def conversations(owner: str) -> dict[str, str]:
        return conversations_in(aws.dynamodb, owner)

    return Store(aws.batches, aws.claims, conversations, quick=False)


def conversations_in(client: Any, owner: str) -> dict[str, str]:
    rows = client.query(
        TableName="ConversationsTable",
        ConsistentRead=True,
        ProjectionExpression="conversation_id, item_id",
        KeyConditionExpression="owner_id = :owner",
        ExpressionAttributeValues={":owner": {"S": owner}},
    )["Items"]
    plain = [_plain(row) for row in rows]
    return {row["conversation_id"]: row["item_id"] for row in plain}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: TypeDeserializer().deserialize(value) for name, value in row.items()}
