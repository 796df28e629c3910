"""Composition of the sweep_objects function."""

from __future__ import annotations

from brightrun.aws.objects import S3Objects
from brightrun.aws.orphans import ObjectSweeper
from brightrun.conversations.orphans import conversation_orphans
from brightrun.core.settings import Settings
from brightrun.datasets.orphans import dataset_orphans
from brightrun.training_files.orphans import training_file_orphans
from brightrun.wiring import clients, conversation_table, dataset_table, training_file_stores


class SweepObjectsSettings(Settings):
    """The environment of the sweep_objects function."""

    conversations_table: str
    datasets_table: str
    training_files_table: str
    conversation_files_bucket: str
    datasets_bucket: str
    training_files_bucket: str


def object_sweeper() -> ObjectSweeper:
    """Compose the service that removes objects without rows."""
    settings = SweepObjectsSettings.from_environment()
    return ObjectSweeper(
        sweeps={
            "conversation files": conversation_orphans(
                conversation_table.conversations(settings.conversations_table),
                S3Objects(clients.s3(), settings.conversation_files_bucket),
            ),
            "datasets": dataset_orphans(
                dataset_table.datasets(settings.datasets_table),
                S3Objects(clients.s3(), settings.datasets_bucket),
            ),
            "training files": training_file_orphans(
                training_file_stores.rows(settings.training_files_table),
                S3Objects(clients.s3(), settings.training_files_bucket),
            ),
        },
        clock=clients.clock,
    )
