"""Edits that meet trouble: on the way to the row, and after it."""

from __future__ import annotations

import dataclasses
import json

import pytest

from brightrun.conversations.enrichment.service import EnrichmentService
from brightrun.conversations.model import ConversationRecord
from brightrun.conversations.review.service import ConversationEditor, TurnEdit
from brightrun.core.errors import InvalidInputError, StorageError, VersionConflictError
from tests.builders import OWNER
from tests.fakes.reviews import InMemoryReviews
from tests.unit.conversations.enrichment_setup import Workshop

EDIT = TurnEdit(2, "Let us look at it together, one step at a time.", "It was curt.")
ONE = "conversation-1"


class Unreachable(EnrichmentService):
    """Reads a conversation, and cannot enrich it."""

    def enrich(self, owner_id: str, conversation_id: str) -> ConversationRecord:
        raise StorageError("PutItem", "out of reach")


def editor(
    workshop: Workshop, service: type[EnrichmentService] = EnrichmentService
) -> ConversationEditor:
    attempts = iter("abcdef")
    return ConversationEditor(
        reviews=InMemoryReviews(workshop.rows),
        conversation_files=workshop.files,
        enrichment=service(workshop.rows, workshop.enricher()),
        clock=workshop.clock,
        new_attempt=lambda: next(attempts),
    )


def test_an_edit_stands_though_the_enrichment_after_it_cannot_run() -> None:
    workshop = Workshop()
    workshop.store()
    edited = editor(workshop, Unreachable).edit(OWNER, ONE, EDIT, None)
    assert edited == workshop.row()
    assert (edited.version, edited.enrichment_status) == (2, "not_started")
    assert edited.enriched_file_path is None


def test_of_two_edits_of_one_version_the_later_spoils_nothing_of_the_first() -> None:
    workshop = Workshop()
    workshop.store()
    fast = editor(workshop)

    def edited_meanwhile() -> str:
        fast.edit(OWNER, ONE, EDIT, frozenset({1}))
        return "slow"

    slow = dataclasses.replace(fast, new_attempt=edited_meanwhile)
    with pytest.raises(VersionConflictError) as refusal:
        slow.edit(
            OWNER, ONE, TurnEdit(2, "Another answer, somewhat later.", "Mine."), frozenset({1})
        )
    row = workshop.row()
    assert refusal.value.details["version"] == row.version
    stored = json.loads(workshop.files.objects[row.file_path].text)
    assert stored["turns"][1]["content"] == EDIT.content
    assert len(row.revisions) == 1


def test_what_of_a_file_is_not_edited_stays_as_it_was() -> None:
    workshop = Workshop()
    before = workshop.store()
    original = json.loads(workshop.files.objects[before.file_path].text)
    edited = editor(workshop).edit(OWNER, ONE, EDIT, None)
    original["turns"][1]["content"] = EDIT.content
    assert json.loads(workshop.files.objects[edited.file_path].text) == original


def test_a_file_without_turns_cannot_be_edited() -> None:
    workshop = Workshop()
    workshop.store({"conversation_metadata": {}})
    with pytest.raises(InvalidInputError, match="no list of turns"):
        editor(workshop).edit(OWNER, ONE, EDIT, None)
