"""Stores notifications in DynamoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from brightrun.aws.dynamodb import from_wire, query_page, row_of, to_wire, translated
from brightrun.aws.transactions import MAX_OPERATIONS, transact, update
from brightrun.core.errors import NotFoundError
from brightrun.core.pages import Page
from brightrun.core.rows import from_row
from brightrun.notifications.model import Notification

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


MOST_MARKED = 1000
"""Notifications that one request marks as read."""


class NotificationRepository(Protocol):
    """Owners' notifications; every method raises StorageError when DynamoDB fails."""

    def add(self, notification: Notification) -> None:
        """Store a notification; adding it again changes nothing, so that it stays read."""

    def notifications(
        self, owner_id: str, *, unread: bool, limit: int, cursor: str | None
    ) -> Page[Notification]:
        """List an owner's notifications, or only the unread ones, newest first.

        A page of unread ones can be short and still have a cursor, as `query_page` explains.
        Raises InvalidCursorError.
        """

    def unread_count(self, owner_id: str) -> int:
        """Count the unread ones among the newest 10,000 or so."""

    def mark_read(self, owner_id: str, notification_id: str) -> Notification:
        """Mark one as read; repeating it changes nothing. Raises NotFoundError."""

    def mark_all_read(self, owner_id: str) -> int:
        """Mark the newest unread ones as read, up to MOST_MARKED; returns their number."""


_READS = 4
"""Pages of 1 MB that one request reads at most: some 10,000 notifications."""
_EXISTS = "attribute_exists(notification_id)"


def notification_put(table: str, notification: Notification) -> dict[str, Any]:
    """Build the Put of a notification, for the transaction that makes it true."""
    return {"Put": {"TableName": table, "Item": to_wire(row_of(notification))}}


class DynamoNotifications(NotificationRepository):
    """Notifications in DynamoDB; ids begin with the time, so the sort key orders them by age."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, notification: Notification) -> None:
        step = notification_put(self._table, notification)
        step["Put"]["ConditionExpression"] = "attribute_not_exists(notification_id)"
        transact(self._client, [step])

    def notifications(
        self, owner_id: str, *, unread: bool, limit: int, cursor: str | None
    ) -> Page[Notification]:
        request = self._query(owner_id, unread=unread)
        rows, following = query_page(
            self._client,
            limit=limit,
            cursor=cursor,
            partition=("owner_id", owner_id),
            key_attributes=("owner_id", "notification_id"),
            most_reads=_READS,
            **request,
        )
        return Page(tuple(from_row(Notification, row) for row in rows), following)

    def unread_count(self, owner_id: str) -> int:
        request, counted = self._query(owner_id, unread=True), 0
        for _ in range(_READS):
            with translated("Query"):
                answer = self._client.query(**request, Select="COUNT")
            counted += answer["Count"]
            if "LastEvaluatedKey" not in answer:
                break
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return counted

    def mark_read(self, owner_id: str, notification_id: str) -> Notification:
        try:
            with translated("UpdateItem"):
                answer = self._client.update_item(
                    **self._mark(owner_id, notification_id), ReturnValues="ALL_NEW"
                )
        except ClientError as error:
            raise NotFoundError("notification", notification_id) from error
        return from_row(Notification, from_wire(answer["Attributes"]))

    def mark_all_read(self, owner_id: str) -> int:
        page = self.notifications(owner_id, unread=True, limit=MOST_MARKED, cursor=None)
        ids = [one.notification_id for one in page.records]
        for start in range(0, len(ids), MAX_OPERATIONS):
            some = ids[start : start + MAX_OPERATIONS]
            transact(self._client, [{"Update": self._mark(owner_id, one)} for one in some])
        return len(ids)

    def _mark(self, owner_id: str, notification_id: str) -> dict[str, Any]:
        key = {"owner_id": owner_id, "notification_id": notification_id}
        return update(self._table, key, set_to={"read": True}, condition=_EXISTS)

    def _query(self, owner_id: str, *, unread: bool) -> dict[str, Any]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "ScanIndexForward": False,
            "KeyConditionExpression": "owner_id = :owner",
            "ExpressionAttributeValues": to_wire({":owner": owner_id}),
        }
        if unread:
            request["FilterExpression"] = "#read = :no"
            request["ExpressionAttributeNames"] = {"#read": "read"}
            request["ExpressionAttributeValues"] |= to_wire({":no": False})
        return request
