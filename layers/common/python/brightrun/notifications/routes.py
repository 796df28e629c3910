"""The routes that show notifications and mark them as read."""

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
    NotificationResponse,
)
from brightrun.notifications.service import NotificationReader

router = APIGatewayHttpRouter()
NOTIFICATIONS = "/api/notifications"
TAGS = ["Notifications"]
NotificationId = Annotated[str, Path(pattern="^[A-Za-z0-9_.:~-]{1,100}$", max_length=100)]
Unread = Annotated[bool, Query(description="Only those that were not read.")]


@router.get(NOTIFICATIONS, tags=TAGS)
def list_notifications(
    unread: Unread = False, limit: Limit = 20, cursor: Cursor = None
) -> NotificationList:
    """List the caller's notifications, newest first, and count the unread ones."""
    page, unread_count = service(router, NotificationReader).page(
        owner_of(router), unread=unread, limit=limit, cursor=cursor
    )
    return NotificationList.from_domain(page, unread_count)


@router.patch(f"{NOTIFICATIONS}/<notification_id>/read", tags=TAGS)
def read_notification(notification_id: NotificationId) -> NotificationResponse:
    """Mark a notification as read; done again, this changes nothing."""
    reader = service(router, NotificationReader)
    return NotificationResponse.from_domain(reader.mark_read(owner_of(router), notification_id))


@router.post(f"{NOTIFICATIONS}/read-all", tags=TAGS)
def read_all_notifications() -> MarkedResponse:
    """Mark the newest thousand unread notifications as read, and say how many are left."""
    marked, left = service(router, NotificationReader).mark_all_read(owner_of(router))
    return MarkedResponse(data=MarkedData(marked=marked, unread_count=left))
