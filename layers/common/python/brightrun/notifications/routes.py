"""Routes under /api/notifications."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.http.app import owner_of, service
from brightrun.http.schemas import Cursor, Limit
from brightrun.notifications.schemas import (
    MarkedData,
    MarkedResponse,
    NotificationList,
    NotificationListData,
    NotificationResponse,
)
from brightrun.notifications.service import NotificationReader

router = APIGatewayHttpRouter()
NOTIFICATIONS = "/api/notifications"
TAGS = ["Notifications"]
NotificationId = Annotated[str, Path(pattern="^[A-Za-z0-9_.:~-]{1,100}$", max_length=100)]
Unread = Annotated[bool, Query(description="Only unread notifications.")]


@router.get(NOTIFICATIONS, tags=TAGS)
def list_notifications(
    unread: Unread = False, limit: Limit = 20, cursor: Cursor = None
) -> NotificationList:
    """List the caller's notifications, newest first, and count the unread ones."""
    page, unread_count = service(router, NotificationReader).page(
        owner_of(router), unread=unread, limit=limit, cursor=cursor
    )
    data = NotificationListData(notifications=page.records, unread_count=unread_count)
    return NotificationList(data=data, next_cursor=page.next_cursor)


@router.patch(f"{NOTIFICATIONS}/<notification_id>/read", tags=TAGS)
def read_notification(notification_id: NotificationId) -> NotificationResponse:
    """Mark a notification as read; repeating it changes nothing."""
    reader = service(router, NotificationReader)
    return NotificationResponse(data=reader.mark_read(owner_of(router), notification_id))


@router.post(f"{NOTIFICATIONS}/read-all", tags=TAGS)
def read_all_notifications() -> MarkedResponse:
    """Mark the newest 1,000 unread notifications as read, and count those still unread."""
    marked, left = service(router, NotificationReader).mark_all_read(owner_of(router))
    return MarkedResponse(data=MarkedData(marked=marked, unread_count=left))
