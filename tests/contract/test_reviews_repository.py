"""A decision and its entry in the trail: one promise, kept by DynamoDB and by the fake."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from threading import Barrier

import pytest

from brightrun.conversations.model import ConversationRecord
from brightrun.conversations.repository import ConversationRepository, DynamoConversations
from brightrun.conversations.review.model import AuditEntry, Decision, audit_entry
from brightrun.conversations.review.repository import DynamoReviews, ReviewRepository
from brightrun.core.errors import InvalidCursorError, NotFoundError, VersionConflictError
from tests.aws import Aws
from tests.builders import OWNER, START, STRANGER
from tests.fakes.conversations import InMemoryConversations, a_record
from tests.fakes.reviews import InMemoryReviews


@dataclass(frozen=True)
class Desk:
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
    after, entry = decision.applied(record, by=OWNER, now=START + timedelta(seconds=at))
    return after, record.version, entry


def in_memory() -> Desk:
    rows = InMemoryConversations()
    return Desk(rows, InMemoryReviews(rows))


def in_dynamodb(aws: Aws) -> Desk:
    reviews = DynamoReviews(
        aws.dynamodb, conversations_table="ConversationsTable", audit_table="ReviewAuditTable"
    )
    return Desk(DynamoConversations(aws.dynamodb, "ConversationsTable"), reviews)


@pytest.fixture(params=["in memory", "DynamoDB"])
def desk(request: pytest.FixtureRequest) -> Desk:
    makers: dict[str, Callable[[], Desk]] = {
        "in memory": in_memory,
        "DynamoDB": lambda: in_dynamodb(request.getfixturevalue("aws")),
    }
    made = makers[request.param]()
    made.rows.add(a_record())
    return made


def test_a_decision_is_stored_with_its_entry(desk: Desk) -> None:
    stored = desk.decide("reject")
    assert desk.rows.conversation(OWNER, "conversation-1") == stored
    assert (stored.status, stored.version) == ("rejected", 2)
    (entry,) = desk.trail()
    assert (entry.by, entry.action, entry.reason) == (OWNER, "reject", "because reject")
    assert (entry.from_status, entry.to_status) == ("pending_review", "rejected")
    assert (entry.version, entry.at) == (2, "2026-11-21T12:00:00.000Z")


def test_the_trail_lists_the_newest_first_by_pages(desk: Desk) -> None:
    for at, action in enumerate(("approve", "archive", "reopen")):
        desk.decide(action, at)
    first = desk.reviews.trail(OWNER, "conversation-1", limit=2, cursor=None)
    rest = desk.reviews.trail(OWNER, "conversation-1", limit=2, cursor=first.next_cursor)
    actions = [entry.action for entry in (*first.records, *rest.records)]
    assert actions == ["reopen", "archive", "approve"]
    assert rest.next_cursor is None


def test_decisions_of_one_moment_keep_their_order(desk: Desk) -> None:
    for action in ("approve", "archive", "reopen"):
        desk.decide(action)
    assert [entry.version for entry in desk.trail()] == [4, 3, 2]


def test_a_decision_about_an_older_version_leaves_row_and_trail_alone(desk: Desk) -> None:
    late = decided(desk.rows.conversation(OWNER, "conversation-1"), "reject")
    desk.decide("approve")
    with pytest.raises(VersionConflictError) as refusal:
        desk.reviews.record(*late)
    assert refusal.value.details["version"] == 2
    assert refusal.value.details["status"] == "approved"
    assert desk.rows.conversation(OWNER, "conversation-1").status == "approved"
    assert [entry.action for entry in desk.trail()] == ["approve"]


def test_a_row_that_is_gone_gets_no_entry(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        desk.reviews.record(*decided(a_record(owner_id=STRANGER), "approve"))
    assert desk.trail(STRANGER) == []


def test_another_owner_has_another_trail(desk: Desk) -> None:
    desk.decide("approve")
    assert desk.trail(STRANGER) == []


def test_a_cursor_of_another_conversation_opens_nothing(aws: Aws) -> None:
    desk = in_dynamodb(aws)
    desk.rows.add(a_record())
    for action in ("approve", "archive"):
        desk.decide(action)
    page = desk.reviews.trail(OWNER, "conversation-1", limit=1, cursor=None)
    with pytest.raises(InvalidCursorError):
        desk.reviews.trail(STRANGER, "conversation-1", limit=1, cursor=page.next_cursor)


def test_of_two_decisions_at_once_one_lands_and_one_is_told(aws: Aws) -> None:
    desk = in_dynamodb(aws)
    desk.rows.add(a_record())
    seen = desk.rows.conversation(OWNER, "conversation-1")
    barrier = Barrier(2)

    def decide(action: str) -> bool:
        barrier.wait()
        try:
            desk.reviews.record(*decided(seen, action))
        except VersionConflictError:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(decide, ["approve", "reject"])) == [False, True]
    assert len(desk.trail()) == 1


def test_a_deleted_row_leaves_its_trail(desk: Desk) -> None:
    record = desk.decide("approve")
    entry = audit_entry(
        record,
        "delete",
        to_status=record.status,
        by=OWNER,
        now=START + timedelta(seconds=5),
        reason=None,
    )
    desk.reviews.delete(record, entry)
    with pytest.raises(NotFoundError):
        desk.rows.conversation(OWNER, "conversation-1")
    assert [one.action for one in desk.trail()] == ["delete", "approve"]
    with pytest.raises(NotFoundError):
        desk.reviews.delete(record, entry)


def test_a_row_that_changed_is_not_deleted_and_no_entry_says_so(desk: Desk) -> None:
    seen = desk.rows.conversation(OWNER, "conversation-1")
    desk.decide("approve")
    entry = audit_entry(seen, "delete", to_status=seen.status, by=OWNER, now=START, reason=None)
    with pytest.raises(VersionConflictError):
        desk.reviews.delete(seen, entry)
    assert [one.action for one in desk.trail()] == ["approve"]
