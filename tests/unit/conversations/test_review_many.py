"""One decision about many, while others decide too."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from brightrun.conversations.digests import Change, ConversationDigest, ConversationFilter
from brightrun.conversations.model import ConversationRecord
from brightrun.conversations.review.model import Decision
from brightrun.conversations.review.service import (
    BulkRequest,
    BulkReview,
    ConversationDeleter,
    ReviewService,
)
from brightrun.conversations.service import ConversationLister
from tests.builders import OWNER, SteppedClock
from tests.fakes.conversations import InMemoryConversations, a_record
from tests.fakes.external_services import InMemoryObjects
from tests.fakes.reviews import InMemoryReviews

APPROVE = BulkRequest(Decision("approve"))


def digests(changes: Sequence[Change]) -> list[ConversationDigest]:
    return [one for one in changes if isinstance(one, ConversationDigest)]


class Contested(InMemoryConversations):
    """Another caller archives `conversation-1` whenever it has just been read."""

    def conversation(self, owner_id: str, conversation_id: str) -> ConversationRecord:
        record = super().conversation(owner_id, conversation_id)
        if conversation_id == "conversation-1" and record.status != "archived":
            self._store(dataclasses.replace(record, status="archived", version=record.version + 1))
        return record


class Late(InMemoryConversations):
    """Its index still shows approved conversations as pending."""

    def changes(self, owner_id: str, since: str | None) -> Iterator[Sequence[Change]]:
        for page in super().changes(owner_id, since):
            yield [one._replace(status="pending_review") for one in digests(page)]


def bulk(rows: InMemoryConversations) -> BulkReview:
    reviews = ReviewService(rows, InMemoryReviews(rows), SteppedClock())
    lister = ConversationLister(rows, InMemoryObjects(), SteppedClock())
    deleter = ConversationDeleter(rows, reviews.reviews, InMemoryObjects(), SteppedClock())
    return BulkReview(reviews, lister, deleter)


def test_a_conversation_that_others_change_stops_no_other() -> None:
    rows = Contested(a_record("conversation-1"), a_record("conversation-2"))
    decided = bulk(rows).by_ids(OWNER, ["conversation-1", "conversation-2"], APPROVE)
    contested, other = decided.results
    assert (contested.outcome, contested.status, contested.version) == ("conflict", "archived", 2)
    assert (other.outcome, other.status, other.version) == ("updated", "approved", 2)


def test_what_the_index_shows_too_late_is_not_decided_twice() -> None:
    rows = Late(a_record(status="approved"))
    wanted = ConversationFilter({"status": "pending_review"})
    (result,) = bulk(rows).by_filter(OWNER, wanted, APPROVE).results
    assert (result.outcome, result.version) == ("unchanged", 1)
    assert rows.writes == 0
