"""Responses of the routes under /api/notifications, with the field names of v1."""

from __future__ import annotations

from pydantic import Field

from brightrun.http.schemas import NestedModel, ResponseModel
from brightrun.notifications.model import NotificationType, Priority


class NotificationView(NestedModel):
    """One notification."""

    id: str = Field(validation_alias="notification_id")
    type: NotificationType
    title: str
    message: str
    priority: Priority
    action_url: str
    metadata: dict[str, str]
    read: bool
    created_at: str


class NotificationResponse(ResponseModel):
    """PATCH /api/notifications/{id}/read."""

    data: NotificationView


class NotificationListData(NestedModel):
    """A page of notifications; `unread_count` counts the unread of the newest 10,000 or so."""

    notifications: list[NotificationView]
    unread_count: int


class NotificationList(ResponseModel):
    """GET /api/notifications; a page of unread ones can be short and still have a next page."""

    data: NotificationListData
    next_cursor: str | None


class MarkedData(NestedModel):
    """How many were marked as read, and how many are still unread."""

    marked: int
    unread_count: int


class MarkedResponse(ResponseModel):
    """POST /api/notifications/read-all."""

    data: MarkedData
