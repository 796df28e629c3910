"""Deleting a conversation: every object, then the row, whatever happens in between."""

from __future__ import annotations

import dataclasses

import pytest

from brightrun.conversations.model import ConversationRecord
from brightrun.conversations.review.model import Deletion
from brightrun.conversations.review.service import ConversationDeleter
from brightrun.core.errors import NotFoundError, StorageError, VersionConflictError
from tests.builders import OWNER, STRANGER, SteppedClock
from tests.fakes.conversations import InMemoryConversations, a_record
from tests.fakes.external_services import InMemoryObjects
from tests.fakes.reviews import InMemoryReviews

ID = "conversation-1"
EDITED = a_record(
    file_path="second.json",
    revisions=[{"file_path": f"{OWNER}/{ID}/conversation.json"}],
    enriched_file_path=f"{OWNER}/{ID}/enriched.json",
    version=3,
)


class Files(InMemoryObjects):
    """Holds everything that is made for a conversation, and one object of another."""

    def __init__(self) -> None:
        super().__init__()
        names = ("conversation", "enriched", "judgement")
        for key in (f"raw/{OWNER}/{ID}.json", "second.json", "another's.json"):
            self.put(key, "{}", content_type="")
        for name in names:
            self.put(f"{OWNER}/{ID}/{name}.json", "{}", content_type="")


def deleter(
    rows: InMemoryConversations, files: InMemoryObjects | None = None
) -> tuple[ConversationDeleter, InMemoryReviews]:
    reviews = InMemoryReviews(rows)
    files = Files() if files is None else files
    return ConversationDeleter(rows, reviews, files, SteppedClock()), reviews


def test_the_row_and_all_its_objects_go_and_the_trail_stays() -> None:
    rows, files = InMemoryConversations(EDITED), Files()
    delete, reviews = deleter(rows, files)
    delete.delete(OWNER, ID, Deletion("A client asked for it."), 3)
    assert set(files.objects) == {"another's.json"}
    (entry,) = reviews.trail(OWNER, ID, limit=5, cursor=None).records
    assert (entry.action, entry.reason) == ("delete", "A client asked for it.")
    with pytest.raises(NotFoundError):
        delete.delete(OWNER, ID, Deletion())


def test_another_version_than_was_seen_keeps_everything() -> None:
    rows, files = InMemoryConversations(EDITED), Files()
    with pytest.raises(VersionConflictError) as conflict:
        deleter(rows, files)[0].delete(OWNER, ID, Deletion(), 2)
    assert conflict.value.details["version"] == 3
    assert len(files.objects) == 6


def test_another_owners_conversation_cannot_be_deleted() -> None:
    files = Files()
    with pytest.raises(NotFoundError):
        deleter(InMemoryConversations(EDITED), files)[0].delete(STRANGER, ID, Deletion())
    assert len(files.objects) == 6


def test_a_deletion_that_was_cut_short_can_be_repeated() -> None:
    class Failing(Files):
        broken = True

        def remove(self, key: str) -> None:
            if self.broken and key == "second.json":
                raise StorageError("DeleteObject", "no answer")
            super().remove(key)

    rows, files = InMemoryConversations(EDITED), Failing()
    delete, _ = deleter(rows, files)
    with pytest.raises(StorageError):
        delete.delete(OWNER, ID, Deletion())
    assert rows.conversation(OWNER, ID) == EDITED
    files.broken = False
    delete.delete(OWNER, ID, Deletion(), 3)
    assert set(files.objects) == {"another's.json"}


def test_what_an_edit_leaves_in_between_goes_as_well() -> None:
    class EditedMeanwhile(InMemoryConversations):
        def drop(self, record: ConversationRecord) -> None:
            if record.version == 3:
                edited = dataclasses.replace(
                    record,
                    file_path="third.json",
                    revisions=[*record.revisions, {"file_path": record.file_path}],
                )
                files.put("third.json", "{}", content_type="")
                self.replace(edited, 3)
            super().drop(record)

    rows, files = EditedMeanwhile(EDITED), Files()
    deleter(rows, files)[0].delete(OWNER, ID, Deletion())
    assert set(files.objects) == {"another's.json"}
