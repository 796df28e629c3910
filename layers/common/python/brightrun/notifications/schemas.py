"""How notifications are shown, with the original's fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import ConfigDict, Field

from brightrun.http.schemas import NestedModel, ResponseModel
from brightrun.notifications.model import NotificationType, Priority

if TYPE_CHECKING:
    from brightrun.core.pages import Page
    from brightrun.notifications.model import Notification


class NotificationView(NestedModel):
    """One notification."""

    model_config = ConfigDict(validate_by_alias=True, validate_by_name=True)

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

    @classmethod
    def from_domain(cls, notification: Notification) -> Self:
        """Show one."""
        return cls(data=NotificationView.model_validate(notification))


class NotificationListData(NestedModel):
    """A page of notifications; `unread_count` counts among the newest ten thousand or so."""

    notifications: list[NotificationView]
    unread_count: int


class NotificationList(ResponseModel):
    """GET /api/notifications; a page of unread ones may be short and still have a next one."""

    data: NotificationListData
    next_cursor: str | None

    @classmethod
    def from_domain(cls, page: Page[Notification], unread_count: int) -> Self:
        """Show a page."""
        shown = [NotificationView.model_validate(one) for one in page.records]
        data = NotificationListData(notifications=shown, unread_count=unread_count)
        return cls(data=data, next_cursor=page.next_cursor)


class MarkedData(NestedModel):
    """How many were marked as read, and how many are left."""

    marked: int
    unread_count: int


class MarkedResponse(ResponseModel):
    """POST /api/notifications/read-all."""

    data: MarkedData
