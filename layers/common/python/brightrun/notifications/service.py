"""Lists notifications, and marks them as read."""

from __future__ import annotations

from dataclasses import dataclass

from brightrun.core.pages import Page
from brightrun.notifications.model import Notification
from brightrun.notifications.repository import NotificationRepository


@dataclass(frozen=True, slots=True)
class NotificationReader:
    """Reads an owner's notifications."""

    notifications: NotificationRepository

    def page(
        self, owner_id: str, *, unread: bool, limit: int, cursor: str | None
    ) -> tuple[Page[Notification], int]:
        """List notifications, newest first, and count the unread ones."""
        page = self.notifications.notifications(owner_id, unread=unread, limit=limit, cursor=cursor)
        return page, self.notifications.unread_count(owner_id)

    def mark_read(self, owner_id: str, notification_id: str) -> Notification:
        """Mark one as read; raises NotFoundError."""
        return self.notifications.mark_read(owner_id, notification_id)

    def mark_all_read(self, owner_id: str) -> tuple[int, int]:
        """Mark the newest unread ones as read; returns how many, and how many are still unread."""
        marked = self.notifications.mark_all_read(owner_id)
        return marked, self.notifications.unread_count(owner_id)
