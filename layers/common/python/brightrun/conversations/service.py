"""Lists and reads conversations, and signs links to their files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from brightrun.aws.dynamodb import decode_cursor, encode_cursor, from_wire, to_wire
from brightrun.aws.objects import LINK_SECONDS, ObjectStore
from brightrun.conversations.digests import (
    ConversationDigest,
    ConversationFilter,
    ConversationStatistics,
    Coverage,
    ListPosition,
    SortBy,
    SortDirection,
    coverage,
)
from brightrun.conversations.index import ConversationIndex
from brightrun.conversations.model import ConversationRecord
from brightrun.conversations.repository import ConversationRepository
from brightrun.core.errors import (
    InvalidCursorError,
    InvalidInputError,
    NotEnrichedError,
    NotFoundError,
)
from brightrun.core.timestamps import Clock, iso

if TYPE_CHECKING:
    from brightrun.conversations.enrichment.pipeline import ScaffoldingResolver


@dataclass(frozen=True, slots=True)
class ConversationQuery:
    """A list of conversations; raises InvalidInputError if its options cannot be combined."""

    where: ConversationFilter = ConversationFilter()
    sort_by: SortBy = "created_at"
    direction: SortDirection = "desc"
    limit: int = 25
    cursor: str | None = None
    page: int | None = None

    def __post_init__(self) -> None:
        if self.cursor and self.page:
            raise InvalidInputError("Give either cursor or page.")


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """A page of the `total` conversations that match; `page` is None after a cursor.

    It is shorter than its limit where conversations were deleted or changed a moment ago.
    """

    records: Sequence[ConversationRecord]
    total: int
    next_cursor: str | None = None
    page: int | None = None


class ConversationLister:
    """Lists, selects and counts the conversations of an owner; every method raises StorageError.

    Serves a whole process: it holds the index that lists are made from.
    """

    def __init__(
        self, conversations: ConversationRepository, snapshots: ObjectStore, clock: Clock
    ) -> None:
        self._conversations = conversations
        self._index = ConversationIndex(conversations, snapshots, clock)

    def page(self, owner_id: str, query: ConversationQuery) -> ConversationPage:
        """Read one page; raises InvalidCursorError."""
        position = _position(owner_id, query)
        digests = self._index.digests(owner_id).ordered(query.sort_by, query.direction)
        found = query.where.select(digests)
        number = None if position else query.page or 1
        start = (
            position.index_after(found, query.direction)
            if position
            else ((query.page or 1) - 1) * query.limit
        )
        shown = found[start : start + query.limit]
        more = start + query.limit < len(found)
        records = self._conversations.records(owner_id, [one.conversation_id for one in shown])
        return ConversationPage(
            query.where.select(records),
            total=len(found),
            next_cursor=_cursor(owner_id, shown[-1], query.sort_by) if more else None,
            page=number,
        )

    def matching(self, owner_id: str, where: ConversationFilter) -> list[ConversationDigest]:
        """Select all that match, newest first."""
        return where.select(self._index.digests(owner_id).ordered("created_at", "desc"))

    def statistics(self, owner_id: str) -> ConversationStatistics:
        """Count an owner's conversations."""
        return ConversationStatistics(self._index.digests(owner_id).all())

    def coverage(self, owner_id: str, where: ConversationFilter) -> Coverage:
        """Count those that match by persona, arc, topic and status."""
        return coverage(self.matching(owner_id, where))


def _cursor(owner_id: str, last: ConversationDigest, sort_by: SortBy) -> str | None:
    position = asdict(ListPosition.of(last, sort_by))
    return encode_cursor(to_wire({"owner_id": owner_id, **position}))


def _position(owner_id: str, query: ConversationQuery) -> ListPosition | None:
    """Where the query's cursor ended; cursors of older versions were of lists by creation.

    Raises InvalidCursorError for the cursor of another list or another order.
    """
    decoded = decode_cursor(query.cursor, owner_id=owner_id)
    if decoded is None:
        return None
    values = from_wire(decoded)
    sort_by = values.get("sort_by", "created_at")
    value = values.get("value", values.get("created_at") if "sort_by" not in values else None)
    position = ListPosition(
        sort_by, value, str(values.get("created_at")), str(values.get("conversation_id"))
    )
    if sort_by != query.sort_by or not position.is_valid():
        raise InvalidCursorError(
            "The cursor is not one of a list in this order; start without one."
        )
    return position


@dataclass(frozen=True, slots=True)
class Download:
    """A signed link to an object, and its expiry."""

    conversation_id: str
    download_url: str
    filename: str
    file_size: int | None
    expires_at: str
    expires_in_seconds: int = LINK_SECONDS


def signed_download(
    files: ObjectStore,
    now: datetime,
    conversation_id: str,
    path: str,
    filename: str,
    size: int | None,
) -> Download:
    """Sign a link to an object of a conversation, valid for LINK_SECONDS from now."""
    expires_at = iso(now + timedelta(seconds=LINK_SECONDS))
    return Download(conversation_id, files.link(path, filename), filename, size, expires_at)


@dataclass(frozen=True, slots=True)
class ConversationReader:
    """Reads conversations, and signs links to their files."""

    conversations: ConversationRepository
    conversation_files: ObjectStore
    scaffolds: ScaffoldingResolver
    clock: Clock

    def get(self, owner_id: str, conversation_id: str) -> ConversationRecord:
        """Read a conversation's row; raises NotFoundError."""
        return self.conversations.conversation(owner_id, conversation_id)

    def scaffolding(self, record: ConversationRecord) -> dict[str, Any]:
        """Read the scaffolding that a conversation was made with; empty if it is gone."""
        return self.scaffolds.snapshot(record)

    def turns(self, record: ConversationRecord) -> list[dict[str, Any]]:
        """Read the turns of a conversation; raises NotFoundError if its file does not exist."""
        stored = self.conversation_files.get(record.file_path)
        if stored is None:
            raise NotFoundError("conversation file", record.conversation_id)
        turns: list[dict[str, Any]] = json.loads(stored.text)["turns"]
        return turns

    def download(self, owner_id: str, conversation_id: str, *, raw: bool) -> Download:
        """Sign a link to the parsed conversation, or to Claude's raw answer."""
        record = self.get(owner_id, conversation_id)
        path, size = (
            (record.raw_response_path, record.raw_response_size)
            if raw
            else (record.file_path, record.file_size)
        )
        filename = f"{conversation_id}.raw.json" if raw else f"{conversation_id}.json"
        return signed_download(
            self.conversation_files, self.clock(), conversation_id, path, filename, size
        )

    def download_enriched(self, owner_id: str, conversation_id: str) -> Download:
        """Sign a link to the training pairs; raises NotEnrichedError if there are none."""
        record = self.get(owner_id, conversation_id)
        if record.enriched_file_path is None:
            raise NotEnrichedError(
                f"The conversation '{conversation_id}' has no enriched file; its enrichment "
                f"status is '{record.enrichment_status}'. Run it with POST "
                f"/api/conversations/{conversation_id}/enrich.",
                details={"enrichment_status": record.enrichment_status},
            )
        filename = f"{conversation_id}.enriched.json"
        size = record.enriched_file_size
        return signed_download(
            self.conversation_files,
            self.clock(),
            conversation_id,
            record.enriched_file_path,
            filename,
            size,
        )
