"""Tells the objects of conversations that no row points to from the others."""

from __future__ import annotations

from datetime import timedelta

from brightrun.aws.objects import ObjectStore
from brightrun.aws.orphans import OrphanSweep
from brightrun.conversations.index import MOST_AGE
from brightrun.conversations.repository import ConversationRepository, keys_in_use
from brightrun.core import object_keys

KEPT = timedelta(days=1)
"""Longer than any writer takes to its row, and than a link to what was replaced is valid."""
ANSWERS_KEPT = timedelta(days=30)
"""An answer of Claude without a row is used when its batch, which may be paused, goes on."""
_RAW = "raw/"


def conversation_orphans(
    conversations: ConversationRepository, files: ObjectStore
) -> OrphanSweep[tuple[str, str]]:
    """The sweep of the bucket of conversation files."""
    return OrphanSweep(
        files, _owner_of, lambda owner: keys_in_use(conversations, *owner), _kept_for
    )


def _owner_of(key: str) -> tuple[str, str] | None:
    """Whose an object is: owner and id; older versions kept raw answers as raw/OWNER/ID.json.

    Those of a snapshot of lists are no row's, so that it goes when it is of no use any more.
    """
    parts = key.removeprefix(_RAW).split("/")
    if key.startswith(_RAW) and len(parts) == 2:
        parts[1] = parts[1].removesuffix(".json")
    return (parts[0], parts[1]) if len(parts) >= 2 else None


def _kept_for(key: str) -> timedelta:
    if key.startswith(object_keys.SNAPSHOTS):
        return MOST_AGE
    return ANSWERS_KEPT if key.startswith(_RAW) else KEPT
