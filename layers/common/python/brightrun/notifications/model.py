"""Notifications: messages to an owner that something ended or failed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Literal

NotificationType = Literal[
    "dataset_ready",
    "dataset_error",
    "job_queued",
    "job_started",
    "job_completed",
    "job_failed",
    "job_cancelled",
    "artifact_ready",
]
Priority = Literal["low", "medium", "high"]
_NAMESPACE = uuid.UUID("3b3f6f5e-52a2-5f0b-9f1e-5d0b6f3a9c11")


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification. Its id begins with its creation time, so that ids sort by age."""

    owner_id: str
    notification_id: str
    type: NotificationType
    title: str
    message: str
    priority: Priority
    action_url: str
    created_at: str
    metadata: dict[str, str] = field(default_factory=dict)
    read: bool = False


def notification_id(created_at: str, type_: NotificationType, subject: str) -> str:
    """Derive the id of a notification, so that a retry creates the same one.

    `subject` is the id of the record that it is about, followed by a run if there can be several.
    """
    return f"{created_at}~{uuid.uuid5(_NAMESPACE, f'{type_}:{subject}')}"
