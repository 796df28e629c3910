"""Which objects of a conversation its row points to."""

from __future__ import annotations

from brightrun.conversations.repository import ConversationRepository
from brightrun.core.errors import NotFoundError


def keys_in_use(
    conversations: ConversationRepository, owner_id: str, conversation_id: str
) -> frozenset[str]:
    """The keys that the row points to, read anew; none without a row. Raises StorageError."""
    try:
        return conversations.conversation(owner_id, conversation_id).object_keys()
    except NotFoundError:
        return frozenset()
