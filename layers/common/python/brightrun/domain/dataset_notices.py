"""What the owner of a dataset is told when its validation has ended."""

from __future__ import annotations

from brightrun.domain.dataset import Dataset
from brightrun.domain.notification import Notification, NotificationType, notification_id


def validation_ended(dataset: Dataset) -> Notification:
    """Say that a dataset is ready, or why it is not; it is one that was just settled."""
    ready = dataset.status == "ready"
    kind: NotificationType = "dataset_ready" if ready else "dataset_error"
    told = (
        f"{dataset.trainable_pairs} pairs of it can be trained on."
        if ready
        else str(dataset.error_message)
    )
    return Notification(
        owner_id=dataset.owner_id,
        notification_id=notification_id(dataset.updated_at, kind, dataset.execution_name),
        type=kind,
        title="Dataset Ready" if ready else "Dataset Not Ready",
        message=f"The dataset '{dataset.name}' is {'ready' if ready else 'not ready'}: {told}",
        priority="medium" if ready else "high",
        action_url=f"/datasets/{dataset.dataset_id}",
        created_at=dataset.updated_at,
        metadata={"dataset_id": dataset.dataset_id},
    )
