"""Reviews in DynamoDB: a conversation's row and the audit trail beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from brightrun.aws.dynamodb import decode_cursor, query_page, row_of, to_wire
from brightrun.aws.transactions import transact
from brightrun.conversations.model import ConversationRecord, version_conflict
from brightrun.conversations.repository import DynamoConversations
from brightrun.conversations.review.model import AuditEntry, conversation_key
from brightrun.core.pages import Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class ReviewRepository(Protocol):
    """What people decide about conversations, and the trail of it."""

    def record(
        self, decided: ConversationRecord, seen_version: int, entry: AuditEntry
    ) -> ConversationRecord:
        """Store a row over the version that was seen, and its entry, both or neither.

        Raises VersionConflictError with the state stored now, or NotFoundError.
        """

    def delete(self, record: ConversationRecord, entry: AuditEntry) -> None:
        """Delete a row that is at the record's version, and store the entry, both or neither.

        Raises VersionConflictError with the state stored now, or NotFoundError.
        """

    def trail(
        self, owner_id: str, conversation_id: str, *, limit: int, cursor: str | None
    ) -> Page[AuditEntry]:
        """List a conversation's entries, newest first."""


class DynamoReviews:
    """ports.conversations.ReviewRepository; a row and its entry are written in one transaction."""

    def __init__(
        self, client: DynamoDBClient, *, conversations_table: str, audit_table: str
    ) -> None:
        self._client = client
        self._conversations_table = conversations_table
        self._audit_table = audit_table

    def record(
        self, decided: ConversationRecord, seen_version: int, entry: AuditEntry
    ) -> ConversationRecord:
        """Store a row in the place of the version that was seen, and its entry, both or neither.

        Raises VersionConflictError whose details are the state stored now, or NotFoundError when
        the row is gone.
        """
        stored = dataclasses.replace(decided, version=seen_version + 1)
        row = {
            "TableName": self._conversations_table,
            "Item": to_wire(row_of(stored)),
            "ConditionExpression": "#version = :seen",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": to_wire({":seen": seen_version}),
        }
        line = {"TableName": self._audit_table, "Item": to_wire(row_of(entry))}
        if transact(self._client, [{"Put": row}, {"Put": line}]):
            rows = DynamoConversations(self._client, self._conversations_table)
            raise version_conflict(rows.conversation(stored.owner_id, stored.conversation_id))
        return stored

    def delete(self, record: ConversationRecord, entry: AuditEntry) -> None:
        """Delete a row that is at the record's version, and store the entry, both or neither.

        Raises VersionConflictError whose details are the state stored now, or NotFoundError when
        the row is gone.
        """
        key = {"owner_id": record.owner_id, "conversation_id": record.conversation_id}
        row = {
            "TableName": self._conversations_table,
            "Key": to_wire(key),
            "ConditionExpression": "#version = :seen",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": to_wire({":seen": record.version}),
        }
        line = {"TableName": self._audit_table, "Item": to_wire(row_of(entry))}
        if transact(self._client, [{"Delete": row}, {"Put": line}]):
            rows = DynamoConversations(self._client, self._conversations_table)
            raise version_conflict(rows.conversation(record.owner_id, record.conversation_id))

    def trail(
        self, owner_id: str, conversation_id: str, *, limit: int, cursor: str | None
    ) -> Page[AuditEntry]:
        """List a conversation's entries, newest first."""
        key = conversation_key(owner_id, conversation_id)
        request: dict[str, Any] = {}
        if start := decode_cursor(cursor, conversation_key=key):
            request["ExclusiveStartKey"] = start
        rows, following = query_page(
            self._client,
            limit=limit,
            key_attributes=("conversation_key", "entry_id"),
            TableName=self._audit_table,
            ScanIndexForward=False,
            KeyConditionExpression="conversation_key = :key",
            ExpressionAttributeValues=to_wire({":key": key}),
            **request,
        )
        return Page(tuple(_entry(row) for row in rows), following)


def _entry(row: Mapping[str, Any]) -> AuditEntry:
    names = {field.name for field in dataclasses.fields(AuditEntry)}
    return AuditEntry(**{name: value for name, value in row.items() if name in names})
