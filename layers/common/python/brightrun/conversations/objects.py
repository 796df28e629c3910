"""The objects that an attempt stored before it wrote the row, and then lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from brightrun.aws.objects import ObjectStore
from brightrun.conversations.repository import ConversationRepository
from brightrun.core.errors import BrightRunError, NotFoundError, StorageError


@contextmanager
def discarded_if_lost(
    conversations: ConversationRepository,
    files: ObjectStore,
    owner_id: str,
    conversation_id: str,
    *keys: str,
) -> Iterator[None]:
    """Remove these objects when the block ends without having written the row.

    After a StorageError nobody knows whether it was written: they stay.
    """
    try:
        yield
    except StorageError:
        raise
    except BrightRunError:
        discard(conversations, files, owner_id, conversation_id, *keys)
        raise


def discard(
    conversations: ConversationRepository,
    files: ObjectStore,
    owner_id: str,
    conversation_id: str,
    *keys: str,
) -> None:
    """Remove objects that the conversation's row does not point to.

    The row is read first: a write whose answer was lost on the way looks like one that lost. What
    cannot be removed stays below the conversation's prefix, and goes with the conversation.
    """
    with suppress(StorageError):
        try:
            kept = conversations.conversation(owner_id, conversation_id).object_keys()
        except NotFoundError:
            kept = frozenset()
        for key in keys:
            if key not in kept:
                files.remove(key)
