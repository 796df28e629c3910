"""Deleting a conversation: every object, then the row, whatever happens in between."""

from __future__ import annotations

import dataclasses

import pytest

from brightrun.conversations.model import ConversationRecord
from brightrun.conversations.review.model import Deletion
from brightrun.conversations.review.service import ConversationDeleter
from brightrun.core.errors import NotFoundError, StorageError, VersionConflictError
from brightrun.core.timestamps import iso
from tests.builders import OWNER, START, STRANGER, SteppedClock
from tests.fakes.conversations import InMemoryConversations, a_record
from tests.fakes.external_services import InMemoryObjects
from tests.fakes.reviews import InMemoryReviews

ID = "conversation-1"
EDITED = a_record(
    file_path=f"{OWNER}/{ID}/second/conversation.json",
    revisions=[{"file_path": f"{OWNER}/{ID}/first/conversation.json"}],
    enriched_file_path=f"{OWNER}/{ID}/second/enriched.json",
    version=3,
)
OTHERS = {f"{OWNER}/{ID}0/first/conversation.json", f"raw/{OWNER}/{ID}0/first.json"}
THEIRS = {
    f"raw/{OWNER}/{ID}.json",  # where an older version put it
    f"raw/{OWNER}/{ID}/first.json",
    f"{OWNER}/{ID}/conversation.json",
    f"{OWNER}/{ID}/first/conversation.json",
    f"{OWNER}/{ID}/second/conversation.json",
    f"{OWNER}/{ID}/second/enriched.json",
    f"{OWNER}/{ID}/item-1-1/judgement.json",
}


class Files(InMemoryObjects):
    """Holds everything that is made for a conversation, and objects of another like it."""

    def __init__(self) -> None:
        super().__init__()
        for key in OTHERS | THEIRS:
            self.put(key, "{}", content_type="")


def deleter(
    rows: InMemoryConversations, files: InMemoryObjects | None = None
) -> tuple[ConversationDeleter, InMemoryReviews]:
    reviews = InMemoryReviews(rows)
    files = Files() if files is None else files
    return ConversationDeleter(rows, reviews, files, SteppedClock()), reviews


def test_the_row_and_all_its_objects_go_and_the_trail_stays() -> None:
    rows, files = InMemoryConversations(EDITED), Files()
    delete, reviews = deleter(rows, files)
    delete.delete(OWNER, ID, Deletion("A client asked for it."), frozenset({3}))
    assert set(files.objects) == OTHERS
    (entry,) = reviews.trail(OWNER, ID, limit=5, cursor=None).records
    assert (entry.action, entry.reason) == ("delete", "A client asked for it.")
    with pytest.raises(NotFoundError):
        delete.delete(OWNER, ID, Deletion())


def test_another_version_than_was_seen_keeps_everything() -> None:
    rows, files = InMemoryConversations(EDITED), Files()
    with pytest.raises(VersionConflictError) as conflict:
        deleter(rows, files)[0].delete(OWNER, ID, Deletion(), frozenset({2}))
    assert conflict.value.details["version"] == 3
    assert set(files.objects) == OTHERS | THEIRS


def test_another_owners_conversation_cannot_be_deleted() -> None:
    files = Files()
    with pytest.raises(NotFoundError):
        deleter(InMemoryConversations(EDITED), files)[0].delete(STRANGER, ID, Deletion())
    assert set(files.objects) == OTHERS | THEIRS


def test_a_deletion_that_was_cut_short_can_be_repeated() -> None:
    class Failing(Files):
        broken = True

        def remove_all(self, prefix: str) -> None:
            if self.broken and prefix.startswith("raw/"):
                raise StorageError("DeleteObjects", "no answer")
            super().remove_all(prefix)

    rows, files = InMemoryConversations(EDITED), Failing()
    delete, _ = deleter(rows, files)
    with pytest.raises(StorageError):
        delete.delete(OWNER, ID, Deletion())
    assert rows.conversation(OWNER, ID) == EDITED
    files.broken = False
    delete.delete(OWNER, ID, Deletion(), frozenset({3}))
    assert set(files.objects) == OTHERS


def test_what_an_edit_leaves_in_between_goes_as_well() -> None:
    class EditedMeanwhile(InMemoryConversations):
        def drop(self, record: ConversationRecord, at: str = iso(START)) -> None:
            if record.version == 3:
                path = f"{OWNER}/{ID}/third/conversation.json"
                edited = dataclasses.replace(
                    record,
                    file_path=path,
                    revisions=[*record.revisions, {"file_path": record.file_path}],
                )
                files.put(path, "{}", content_type="")
                self.replace(edited, 3)
            super().drop(record, at)

    rows, files = EditedMeanwhile(EDITED), Files()
    deleter(rows, files)[0].delete(OWNER, ID, Deletion())
    assert set(files.objects) == OTHERS
