"""The table of conversations, for functions that read it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from brightrun.aws.objects import S3Objects
from brightrun.conversations.repository import DynamoConversations
from brightrun.wiring import clients

if TYPE_CHECKING:
    from brightrun.conversations.service import ConversationLister


def conversations(table: str) -> DynamoConversations:
    """Open the conversations of a table."""
    return DynamoConversations(clients.dynamodb(), table)


@cache
def lister(table: str, files_bucket: str) -> ConversationLister:
    """Compose the service that lists conversations, once for the process."""
    from brightrun.conversations.service import ConversationLister

    return ConversationLister(
        conversations(table), S3Objects(clients.s3(), files_bucket), clients.clock
    )
