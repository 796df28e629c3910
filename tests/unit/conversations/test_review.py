"""Decisions: where they lead, what they need, what is written of them."""

from __future__ import annotations

import pytest

from brightrun.conversations.model import ReviewStatus
from brightrun.conversations.review.model import Decision, ReviewAction
from brightrun.core.errors import InvalidInputError
from tests.builders import START
from tests.fakes.conversations import a_record


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("approve", "approved"),
        ("reject", "rejected"),
        ("archive", "archived"),
        ("reopen", "pending_review"),
    ],
)
@pytest.mark.parametrize("before", ["pending_review", "approved", "rejected", "archived"])
def test_a_decision_leads_to_its_status_from_anywhere(
    action: ReviewAction, status: ReviewStatus, before: ReviewStatus
) -> None:
    record, entry = Decision(action, "why").apply(a_record(status=before), by="somebody", now=START)
    assert record.status == entry.to_status == status
    assert entry.from_status == before
    assert (record.reviewed_by, record.review_notes) == ("somebody", "why")
    assert record.reviewed_at == record.updated_at == entry.at == "2026-11-21T12:00:00.000Z"


@pytest.mark.parametrize("reason", [None, "", "  \n"])
def test_a_rejection_must_say_why(reason: str | None) -> None:
    with pytest.raises(InvalidInputError, match="needs a reason"):
        Decision("reject", reason)


def test_a_decision_changes_a_status_or_the_notes() -> None:
    approved = a_record(status="approved", review_notes="good")
    assert not Decision("approve").changes(approved)
    assert not Decision("approve", "good").changes(approved)
    assert Decision("approve", "very good").changes(approved)
    assert Decision("archive").changes(approved)
