"""The composition root's second part: what makes training files, and what takes old ones in.

The clients are those that bootstrap keeps; what is built around them costs nothing to build anew.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from brightrun import bootstrap, settings
from brightrun.repositories.objects import S3Objects

if TYPE_CHECKING:
    from brightrun.services.build_training_file import TrainingFileBuilder
    from brightrun.services.import_conversations import ConversationImporter
    from brightrun.services.read_training_files import TrainingFileReader


def training_file_builder() -> TrainingFileBuilder:
    """Build what makes training files."""
    from brightrun.repositories.conversations import DynamoConversations
    from brightrun.repositories.training_files import DynamoTrainingFiles
    from brightrun.services.build_training_file import TrainingFileBuilder
    from brightrun.services.choose_conversations import ConversationChooser

    environment = settings.TrainingFilesSettings.from_environment()
    database, files = bootstrap.dynamodb(), bootstrap.s3()
    return TrainingFileBuilder(
        files=DynamoTrainingFiles(database, environment.training_files_table),
        chooser=ConversationChooser(
            DynamoConversations(database, environment.conversations_table),
            S3Objects(files, environment.conversation_files_bucket),
        ),
        training_files=S3Objects(files, environment.training_files_bucket),
        clock=bootstrap.clock,
        new_attempt=lambda: uuid.uuid4().hex[:12],
    )


def training_file_reader() -> TrainingFileReader:
    """Build what shows training files."""
    from brightrun.repositories.training_files import DynamoTrainingFiles
    from brightrun.services.read_training_files import TrainingFileReader

    environment = settings.TrainingFilesSettings.from_environment()
    return TrainingFileReader(
        files=DynamoTrainingFiles(bootstrap.dynamodb(), environment.training_files_table),
        links=S3Objects(bootstrap.s3(), environment.training_files_bucket),
        clock=bootstrap.clock,
    )


def conversation_importer() -> ConversationImporter:
    """Build what takes in conversations of the original."""
    from brightrun.services.import_conversations import ConversationImporter

    environment = settings.ConversationsSettings.from_environment()
    return ConversationImporter(
        conversations=bootstrap.conversations(environment),
        conversation_files=S3Objects(bootstrap.s3(), environment.conversation_files_bucket),
        enricher=bootstrap.enricher(environment),
        clock=bootstrap.clock,
    )
