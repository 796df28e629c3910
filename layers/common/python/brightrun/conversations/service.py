"""Lists and reads conversations, and signs links to their files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from brightrun.aws.objects import LINK_SECONDS, ObjectStore
from brightrun.conversations.model import (
    MOST_SORTED,
    ConversationDigest,
    ConversationFilter,
    ConversationRecord,
    ConversationStatistics,
    SortBy,
    SortDirection,
    in_order,
)
from brightrun.conversations.repository import ConversationRepository
from brightrun.core.errors import (
    InvalidInputError,
    NotEnrichedError,
    NotFoundError,
    TooManyConversationsError,
)
from brightrun.core.timestamps import Clock, iso

_AT_ONCE = 8
"""Rows of a page that are read concurrently."""


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
        if self.cursor and (self.page or self.sort_by != "created_at"):
            raise InvalidInputError(
                "A cursor cannot be combined with page, and continues lists by created_at only; "
                "use page for another order."
            )

    @property
    def by_cursor(self) -> bool:
        """Whether the list is read page by page from a cursor, and not as a whole."""
        return self.page is None and self.sort_by == "created_at"


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """A page of conversations; `page` and `total` are set if the whole list was read."""

    records: Sequence[ConversationRecord]
    next_cursor: str | None = None
    page: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class ConversationLister:
    """Lists the conversations of an owner."""

    conversations: ConversationRepository

    def page(self, owner_id: str, query: ConversationQuery) -> ConversationPage:
        """Read one page; raises TooManyConversationsError if more than MOST_SORTED match a sort."""
        if query.by_cursor:
            page = self.conversations.conversations(
                owner_id,
                query.where,
                limit=query.limit,
                cursor=query.cursor,
                newest_first=query.direction == "desc",
            )
            return ConversationPage(page.records, page.next_cursor)
        digests = in_order(self.matching(owner_id, query.where), query.sort_by, query.direction)
        number = query.page or 1
        shown = digests[(number - 1) * query.limit : number * query.limit]
        return ConversationPage(self._rows(owner_id, shown), page=number, total=len(digests))

    def matching(self, owner_id: str, where: ConversationFilter) -> list[ConversationDigest]:
        """Read all that match, newest first; raises TooManyConversationsError above MOST_SORTED."""
        digests = self.conversations.digests(owner_id, where)
        found = list(islice(digests, MOST_SORTED + 1))
        if len(found) > MOST_SORTED:
            raise TooManyConversationsError(
                f"More than {MOST_SORTED} conversations match, which is more than one request "
                "sorts, counts or changes; narrow the filter, or list by created_at with cursor.",
                details={"most": MOST_SORTED},
            )
        return found

    def statistics(self, owner_id: str) -> ConversationStatistics:
        """Count an owner's conversations."""
        return ConversationStatistics(self.conversations.digests(owner_id, ConversationFilter()))

    def _rows(
        self, owner_id: str, digests: Sequence[ConversationDigest]
    ) -> list[ConversationRecord]:
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            return list(
                threads.map(
                    lambda one: self.conversations.conversation(owner_id, one.conversation_id),
                    digests,
                )
            )


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
    clock: Clock

    def get(self, owner_id: str, conversation_id: str) -> ConversationRecord:
        """Read a conversation's row; raises NotFoundError."""
        return self.conversations.conversation(owner_id, conversation_id)

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
