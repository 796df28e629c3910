"""What the functions that build versions of training files have in common."""

from __future__ import annotations

from brightrun.aws.objects import S3Objects
from brightrun.core.settings import Settings
from brightrun.training_files.assemble_version import VersionAssembler
from brightrun.training_files.selection import ConversationSelector
from brightrun.wiring import clients, conversation_table, training_file_stores


class VersionSettings(Settings):
    """The part of a function's environment that names what versions are built of, and where."""

    conversations_table: str
    training_files_bucket: str
    conversation_files_bucket: str


def assembler(settings: VersionSettings) -> VersionAssembler:
    """Compose the service that puts a version together."""
    conversations = conversation_table.conversations(settings.conversations_table)
    return VersionAssembler(
        selector=ConversationSelector(
            conversations.conversation,
            S3Objects(clients.s3(), settings.conversation_files_bucket),
            conversation_table.lister(
                settings.conversations_table, settings.conversation_files_bucket
            ).matching,
        ),
        objects=training_file_stores.objects(settings.training_files_bucket),
    )
