"""Composition of the sweep_objects function."""

from __future__ import annotations

from brightrun.aws.objects import S3Objects
from brightrun.aws.orphans import ObjectSweeper
from brightrun.conversations.orphans import conversation_orphans
from brightrun.conversations.repository import DynamoConversations
from brightrun.core.settings import Settings
from brightrun.datasets.orphans import dataset_orphans
from brightrun.wiring import clients, dataset_table


class SweepObjectsSettings(Settings):
    """The environment of the sweep_objects function."""

    conversations_table: str
    datasets_table: str
    conversation_files_bucket: str
    datasets_bucket: str


def object_sweeper() -> ObjectSweeper:
    """Compose the service that removes objects without rows."""
    settings = SweepObjectsSettings.from_environment()
    return ObjectSweeper(
        sweeps={
            "conversation files": conversation_orphans(
                DynamoConversations(clients.dynamodb(), settings.conversations_table),
                S3Objects(clients.s3(), settings.conversation_files_bucket),
            ),
            "datasets": dataset_orphans(
                dataset_table.datasets(settings.datasets_table),
                S3Objects(clients.s3(), settings.datasets_bucket),
            ),
        },
        clock=clients.clock,
    )
