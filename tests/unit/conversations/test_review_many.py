"""One decision about many, while others decide too."""

from __future__ import annotations

import dataclasses

from brightrun.conversations.model import ConversationFilter, ConversationRecord
from brightrun.conversations.review.model import Decision
from brightrun.conversations.review.service import BulkReview, ConversationDeleter, ReviewService
from brightrun.conversations.service import ConversationLister
from tests.builders import OWNER, SteppedClock
from tests.fakes.conversations import InMemoryConversations, a_record
from tests.fakes.external_services import InMemoryObjects
from tests.fakes.reviews import InMemoryReviews


class Contested(InMemoryConversations):
    """Another caller archives `conversation-1` whenever it has just been read."""

    def conversation(self, owner_id: str, conversation_id: str) -> ConversationRecord:
        record = super().conversation(owner_id, conversation_id)
        if conversation_id == "conversation-1" and record.status != "archived":
            self._store(dataclasses.replace(record, status="archived", version=record.version + 1))
        return record


class Late(InMemoryConversations):
    """Its index still shows approved conversations as pending."""

    def _matching(self, owner_id: str, wanted: ConversationFilter) -> list[ConversationRecord]:
        rows = super()._matching(owner_id, ConversationFilter())
        return [dataclasses.replace(row, status="pending_review") for row in rows]


def bulk(rows: InMemoryConversations) -> BulkReview:
    reviews = ReviewService(rows, InMemoryReviews(rows), SteppedClock())
    deleter = ConversationDeleter(rows, reviews.reviews, InMemoryObjects(), SteppedClock())
    return BulkReview(reviews, ConversationLister(rows), deleter)


def test_a_conversation_that_others_change_stops_no_other() -> None:
    rows = Contested(a_record("conversation-1"), a_record("conversation-2"))
    decided = bulk(rows).by_ids(OWNER, ["conversation-1", "conversation-2"], Decision("approve"))
    contested, other = decided.results
    assert (contested.outcome, contested.status, contested.version) == ("conflict", "archived", 2)
    assert (other.outcome, other.status, other.version) == ("updated", "approved", 2)


def test_what_the_index_shows_too_late_is_not_decided_twice() -> None:
    rows = Late(a_record(status="approved"))
    wanted = ConversationFilter({"status": "pending_review"})
    (result,) = bulk(rows).by_filter(OWNER, wanted, Decision("approve")).results
    assert (result.outcome, result.version) == ("unchanged", 1)
    assert rows.writes == 0
