"""A decision and its entry in the trail: one promise, kept by DynamoDB and by the fake."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from threading import Barrier

import pytest

from brightrun.conversations.digests import OwnerDigests, Tombstone
from brightrun.conversations.model import ConversationRecord
from brightrun.conversations.repository import ConversationRepository, DynamoConversations
from brightrun.conversations.review.model import (
    AuditEntry,
    Decision,
    audit_entry,
    bulk_change,
    review_of,
)
from brightrun.conversations.review.repository import DynamoReviews, ReviewRepository
from brightrun.core.errors import InvalidCursorError, NotFoundError, VersionConflictError
from brightrun.core.timestamps import iso
from tests.aws import Aws
from tests.builders import OWNER, START, STRANGER
from tests.fakes.conversations import InMemoryConversations, a_record
from tests.fakes.reviews import InMemoryReviews


@dataclass(frozen=True)
class Reviewer:
    rows: ConversationRepository
    reviews: ReviewRepository

    def decide(self, action: str, at: int = 0) -> ConversationRecord:
        record = self.rows.conversation(OWNER, "conversation-1")
        return self.reviews.record(*decided(record, action, at))

    def trail(self, owner: str = OWNER) -> list[AuditEntry]:
        page = self.reviews.trail(owner, "conversation-1", limit=100, cursor=None)
        return list(page.records)


def decided(
    record: ConversationRecord, action: str, at: int = 0
) -> tuple[ConversationRecord, int, AuditEntry]:
    decision = Decision(action, f"because {action}")  # type: ignore[arg-type]
    after, entry = decision.apply(record, by=OWNER, now=START + timedelta(seconds=at))
    return after, record.version, entry


def in_memory() -> Reviewer:
    rows = InMemoryConversations()
    return Reviewer(rows, InMemoryReviews(rows))


def in_dynamodb(aws: Aws) -> Reviewer:
    reviews = DynamoReviews(
        aws.dynamodb, conversations_table="ConversationsTable", audit_table="ReviewAuditTable"
    )
    return Reviewer(DynamoConversations(aws.dynamodb, "ConversationsTable"), reviews)


@pytest.fixture(params=["in memory", "DynamoDB"])
def reviewer(request: pytest.FixtureRequest) -> Reviewer:
    makers: dict[str, Callable[[], Reviewer]] = {
        "in memory": in_memory,
        "DynamoDB": lambda: in_dynamodb(request.getfixturevalue("aws")),
    }
    made = makers[request.param]()
    made.rows.add(a_record())
    return made


def test_a_decision_is_stored_with_its_entry(reviewer: Reviewer) -> None:
    stored = reviewer.decide("reject")
    assert reviewer.rows.conversation(OWNER, "conversation-1") == stored
    assert (stored.status, stored.version) == ("rejected", 2)
    (entry,) = reviewer.trail()
    assert (entry.by, entry.action, entry.reason) == (OWNER, "reject", "because reject")
    assert (entry.from_status, entry.to_status) == ("pending_review", "rejected")
    assert (entry.version, entry.at) == (2, "2026-11-21T12:00:00.000Z")


def test_the_trail_lists_the_newest_first_by_pages(reviewer: Reviewer) -> None:
    for at, action in enumerate(("approve", "archive", "reopen")):
        reviewer.decide(action, at)
    first = reviewer.reviews.trail(OWNER, "conversation-1", limit=2, cursor=None)
    rest = reviewer.reviews.trail(OWNER, "conversation-1", limit=2, cursor=first.next_cursor)
    actions = [entry.action for entry in (*first.records, *rest.records)]
    assert actions == ["reopen", "archive", "approve"]
    assert rest.next_cursor is None


def test_decisions_of_one_millisecond_keep_their_order(reviewer: Reviewer) -> None:
    for action in ("approve", "archive", "reopen"):
        reviewer.decide(action)
    assert [entry.version for entry in reviewer.trail()] == [4, 3, 2]


def test_a_decision_about_an_older_version_leaves_row_and_trail_alone(reviewer: Reviewer) -> None:
    late = decided(reviewer.rows.conversation(OWNER, "conversation-1"), "reject")
    reviewer.decide("approve")
    with pytest.raises(VersionConflictError) as refusal:
        reviewer.reviews.record(*late)
    assert refusal.value.details["version"] == 2
    assert refusal.value.details["status"] == "approved"
    assert reviewer.rows.conversation(OWNER, "conversation-1").status == "approved"
    assert [entry.action for entry in reviewer.trail()] == ["approve"]


def test_a_row_that_is_gone_gets_no_entry(reviewer: Reviewer) -> None:
    with pytest.raises(NotFoundError):
        reviewer.reviews.record(*decided(a_record(owner_id=STRANGER), "approve"))
    assert reviewer.trail(STRANGER) == []


def test_another_owner_has_another_trail(reviewer: Reviewer) -> None:
    reviewer.decide("approve")
    assert reviewer.trail(STRANGER) == []


def test_a_cursor_of_another_conversation_opens_nothing(aws: Aws) -> None:
    reviewer = in_dynamodb(aws)
    reviewer.rows.add(a_record())
    for action in ("approve", "archive"):
        reviewer.decide(action)
    page = reviewer.reviews.trail(OWNER, "conversation-1", limit=1, cursor=None)
    with pytest.raises(InvalidCursorError):
        reviewer.reviews.trail(STRANGER, "conversation-1", limit=1, cursor=page.next_cursor)


def test_of_two_decisions_at_once_one_lands_and_one_is_told(aws: Aws) -> None:
    reviewer = in_dynamodb(aws)
    reviewer.rows.add(a_record())
    seen = reviewer.rows.conversation(OWNER, "conversation-1")
    barrier = Barrier(2)

    def decide(action: str) -> bool:
        barrier.wait()
        try:
            reviewer.reviews.record(*decided(seen, action))
        except VersionConflictError:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(decide, ["approve", "reject"])) == [False, True]
    assert len(reviewer.trail()) == 1


def test_a_deleted_row_leaves_its_trail(reviewer: Reviewer) -> None:
    record = reviewer.decide("approve")
    entry = audit_entry(
        record,
        "delete",
        to_status=record.status,
        by=OWNER,
        now=START + timedelta(seconds=5),
        reason=None,
    )
    reviewer.reviews.delete(record, entry)
    with pytest.raises(NotFoundError):
        reviewer.rows.conversation(OWNER, "conversation-1")
    assert [one.action for one in reviewer.trail()] == ["delete", "approve"]
    with pytest.raises(NotFoundError):
        reviewer.reviews.delete(record, entry)


def test_a_row_that_changed_is_not_deleted_and_gets_no_entry(reviewer: Reviewer) -> None:
    seen = reviewer.rows.conversation(OWNER, "conversation-1")
    reviewer.decide("approve")
    entry = audit_entry(seen, "delete", to_status=seen.status, by=OWNER, now=START, reason=None)
    with pytest.raises(VersionConflictError):
        reviewer.reviews.delete(seen, entry)
    assert [one.action for one in reviewer.trail()] == ["approve"]


def test_what_an_action_about_many_changed_is_listed_by_pages_for_its_owner(
    reviewer: Reviewer,
) -> None:
    for number in (1, 2, 3):
        if number > 1:
            reviewer.rows.add(a_record(f"conversation-{number}"))
        record = reviewer.rows.conversation(OWNER, f"conversation-{number}")
        after, entry = Decision("approve").apply(
            record, by=OWNER, now=START, bulk_action_id="action-1"
        )
        reviewer.reviews.record(after, record.version, entry, bulk_change(record, entry))
    list_changes = reviewer.reviews.bulk_changes
    first = list_changes(OWNER, "action-1", limit=2, cursor=None)
    rest = list_changes(OWNER, "action-1", limit=2, cursor=first.next_cursor)
    changes = [*first.records, *rest.records]
    assert sorted(one.conversation_id for one in changes) == [
        f"conversation-{number}" for number in (1, 2, 3)
    ]
    assert {one.version for one in changes} == {2}
    assert changes[0].before == review_of(a_record())
    assert list_changes(STRANGER, "action-1", limit=2, cursor=None).records == ()
    assert list_changes(OWNER, "action-2", limit=2, cursor=None).records == ()


def test_a_decision_that_loses_leaves_nothing_to_undo(reviewer: Reviewer) -> None:
    record = reviewer.rows.conversation(OWNER, "conversation-1")
    after, entry = Decision("approve").apply(record, by=OWNER, now=START, bulk_action_id="a")
    reviewer.decide("archive")
    with pytest.raises(VersionConflictError):
        reviewer.reviews.record(after, record.version, entry, bulk_change(record, entry))
    assert reviewer.reviews.bulk_changes(OWNER, "a", limit=9, cursor=None).records == ()


def test_a_deletion_is_a_change_that_readers_learn_of(reviewer: Reviewer) -> None:
    record = reviewer.rows.conversation(OWNER, "conversation-1")
    at = START + timedelta(hours=1)
    entry = audit_entry(record, "delete", to_status=record.status, by=OWNER, now=at, reason=None)
    reviewer.reviews.delete(record, entry)
    (page,) = reviewer.rows.changes(OWNER, iso(at))
    assert list(page) == [Tombstone("conversation-1", record.created_at, 2)]
    with pytest.raises(NotFoundError):
        reviewer.rows.conversation(OWNER, "deleted#conversation-1")
    assert reviewer.rows.records(OWNER, ["conversation-1", "deleted#conversation-1"]) == []


def test_an_id_can_be_used_again_after_a_deletion(reviewer: Reviewer) -> None:
    record = reviewer.rows.conversation(OWNER, "conversation-1")
    entry = audit_entry(record, "delete", to_status=record.status, by=OWNER, now=START, reason=None)
    reviewer.reviews.delete(record, entry)
    again = a_record(created_at=iso(START + timedelta(seconds=1)))
    reviewer.rows.add(again)
    assert reviewer.rows.conversation(OWNER, "conversation-1") == again
    known = OwnerDigests()
    for page in reviewer.rows.changes(OWNER, None):
        known.apply(page)
    assert [one.created_at for one in known.all()] == [again.created_at]
