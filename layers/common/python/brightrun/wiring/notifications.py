"""Composition of the notifications function."""

from __future__ import annotations

from brightrun.core.settings import Settings
from brightrun.http.app import Services
from brightrun.notifications.repository import DynamoNotifications
from brightrun.notifications.service import NotificationReader
from brightrun.wiring import clients


class NotificationsSettings(Settings):
    """The environment of the notifications function."""

    notifications_table: str


def notification_reader() -> NotificationReader:
    """Compose the service that reads notifications."""
    settings = NotificationsSettings.from_environment()
    return NotificationReader(DynamoNotifications(clients.dynamodb(), settings.notifications_table))


SERVICES: Services = {NotificationReader: notification_reader}
