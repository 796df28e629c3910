"""Composition of the training_files function."""

from __future__ import annotations

from brightrun.aws.objects import S3Objects
from brightrun.conversations.repository import DynamoConversations
from brightrun.core.settings import Settings
from brightrun.http.app import Services
from brightrun.training_files.build_training_file import ConversationSelector, TrainingFileBuilder
from brightrun.training_files.repository import DynamoTrainingFiles
from brightrun.training_files.service import TrainingFileReader
from brightrun.wiring import clients


class TrainingFilesSettings(Settings):
    """The environment of the training_files function."""

    training_files_table: str
    conversations_table: str
    training_files_bucket: str
    conversation_files_bucket: str


def training_file_builder() -> TrainingFileBuilder:
    """Compose the service that creates training files and their versions."""
    settings = TrainingFilesSettings.from_environment()
    return TrainingFileBuilder(
        files=DynamoTrainingFiles(clients.dynamodb(), settings.training_files_table),
        selector=ConversationSelector(
            DynamoConversations(clients.dynamodb(), settings.conversations_table),
            S3Objects(clients.s3(), settings.conversation_files_bucket),
        ),
        training_files=S3Objects(clients.s3(), settings.training_files_bucket),
        clock=clients.clock,
    )


def training_file_reader() -> TrainingFileReader:
    """Compose the service that reads training files."""
    settings = TrainingFilesSettings.from_environment()
    return TrainingFileReader(
        files=DynamoTrainingFiles(clients.dynamodb(), settings.training_files_table),
        links=S3Objects(clients.s3(), settings.training_files_bucket),
        clock=clients.clock,
    )


SERVICES: Services = {
    TrainingFileBuilder: training_file_builder,
    TrainingFileReader: training_file_reader,
}
