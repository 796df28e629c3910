"""Lists conversations as people ask for them: filtered, sorted, by cursor or by page."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from brightrun.domain.conversation_list import (
    MOST_SORTED,
    ConversationDigest,
    ConversationFilter,
    ConversationStatistics,
    SortBy,
    SortDirection,
    in_order,
)
from brightrun.domain.conversation_record import ConversationRecord
from brightrun.errors import InvalidInputError, TooManyConversationsError
from brightrun.ports import ConversationLists

_AT_ONCE = 8
"""Rows read side by side for one page."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What list somebody wants; raises InvalidInputError where its parts do not go together."""

    wanted: ConversationFilter = ConversationFilter()
    sort_by: SortBy = "created_at"
    direction: SortDirection = "desc"
    limit: int = 25
    cursor: str | None = None
    page: int | None = None

    def __post_init__(self) -> None:
        if self.cursor and (self.page or self.sort_by != "created_at"):
            raise InvalidInputError(
                "A cursor goes on in the order of created_at only, and not together with page; "
                "turn the pages of another order with page."
            )

    @property
    def by_cursor(self) -> bool:
        """Whether the list is read from where the cursor stands, and not as a whole."""
        return self.page is None and self.sort_by == "created_at"


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of conversations; its number and the total where the whole list was read."""

    records: Sequence[ConversationRecord]
    next_cursor: str | None = None
    page: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class ConversationLister:
    """Lists the conversations of an owner."""

    conversations: ConversationLists

    def listed(self, owner_id: str, wish: Wish) -> Listed:
        """Give one page; raises TooManyConversationsError where too many would be sorted."""
        if wish.by_cursor:
            page = self.conversations.conversations(
                owner_id,
                wish.wanted,
                limit=wish.limit,
                cursor=wish.cursor,
                newest_first=wish.direction == "desc",
            )
            return Listed(page.records, page.next_cursor)
        digests = in_order(self.matching(owner_id, wish.wanted), wish.sort_by, wish.direction)
        number = wish.page or 1
        shown = digests[(number - 1) * wish.limit : number * wish.limit]
        return Listed(self._rows(owner_id, shown), page=number, total=len(digests))

    def matching(self, owner_id: str, wanted: ConversationFilter) -> list[ConversationDigest]:
        """Read all that match, newest first; raises TooManyConversationsError."""
        digests = self.conversations.digests(owner_id, wanted)
        found = list(islice(digests, MOST_SORTED + 1))
        if len(found) > MOST_SORTED:
            raise TooManyConversationsError(
                f"More than {MOST_SORTED} conversations match, which is more than one request "
                "sorts, counts or changes; narrow the filter, or list by created_at with cursor.",
                details={"most": MOST_SORTED},
            )
        return found

    def statistics(self, owner_id: str) -> ConversationStatistics:
        """Add up all conversations of an owner."""
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
