"""Objects of conversations belong to the attempt that stored them, whoever else writes at once."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from brightrun.batches.plan import PlanScaffoldingResolver
from brightrun.conversations.enrichment.pipeline import ConversationEnricher
from brightrun.conversations.enrichment.service import EnrichmentService
from brightrun.conversations.import_conversations import ConversationImporter
from brightrun.conversations.model import ConversationRecord
from brightrun.conversations.review.model import Deletion
from brightrun.conversations.review.service import (
    ConversationDeleter,
    ConversationEditor,
    TurnEdit,
)
from brightrun.core.errors import (
    DuplicateKeyError,
    InvalidInputError,
    NotFoundError,
    StorageError,
    VersionConflictError,
)
from brightrun.scaffolding.catalog import ScaffoldingCatalog
from tests.builders import OWNER, SteppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.external_services import InMemoryObjects
from tests.fakes.reviews import InMemoryReviews
from tests.fakes.scaffolding import InMemoryScaffolding
from tests.fakes.training_files import an_enriched_text

ID = "aaaaaaaa-0000-4000-8000-000000000001"


class RacedObjects(InMemoryObjects):
    """Calls `meanwhile` once, right after an object whose key ends so was stored."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: tuple[str, Callable[[], object]] | None = None

    def put(self, key: str, body: str, **how: Any) -> int:
        size = super().put(key, body, **how)
        if self.meanwhile and key.endswith(self.meanwhile[0]):
            (_, act), self.meanwhile = self.meanwhile, None
            act()
        return size


class System:
    """All that writes conversations, over one table and one bucket."""

    def __init__(self, rows: InMemoryConversations | None = None) -> None:
        self.rows = rows or InMemoryConversations()
        self.files = RacedObjects()
        clock, reviews = SteppedClock(), InMemoryReviews(self.rows)
        self.enricher = ConversationEnricher(
            self.rows, self.files, PlanScaffoldingResolver(InMemoryObjects(), self.files), clock
        )
        enrichment = EnrichmentService(self.rows, self.enricher)
        self.importer = ConversationImporter(
            self.rows,
            self.files,
            self.enricher,
            partial(ScaffoldingCatalog, InMemoryScaffolding()),
            clock,
        )
        self.editor = ConversationEditor(reviews, self.files, enrichment, clock)
        self.deleter = ConversationDeleter(self.rows, reviews, self.files, clock)

    def imports(self, said: str) -> str | None:
        """Import the conversation with a text of the caller's own; gives the code of a refusal."""
        turns = [f"{said} This is turn {number} of the conversation." for number in range(1, 5)]
        document = json.loads(an_enriched_text(ID, *turns))
        (result,) = self.importer.import_document(OWNER, document)
        return result.code

    def edits(self, said: str) -> ConversationRecord:
        return self.editor.edit(
            OWNER, ID, TurnEdit(2, f"{said} This is turn 2 now.", "A better word."), None
        )

    def deletes(self) -> None:
        self.deleter.delete(OWNER, ID, Deletion())

    @property
    def row(self) -> ConversationRecord:
        return self.rows.conversation(OWNER, ID)

    def texts(self, said: str) -> list[str]:
        return [key for key, stored in self.files.objects.items() if said in stored.text]


@pytest.fixture
def system() -> System:
    return System()


@pytest.mark.parametrize("stored", [".json", "/conversation.json"])
def test_of_two_imports_of_one_id_the_row_has_all_objects_of_one(
    system: System, stored: str
) -> None:
    system.files.meanwhile = (stored, lambda: system.imports("The second one came first."))
    with pytest.raises(
        InvalidInputError, match="None of the document's 1 conversations"
    ) as refused:
        system.imports("The first one came second.")
    assert refused.value.details[0]["code"] == "already_imported"
    assert set(system.files.objects) == system.row.object_keys()
    assert system.texts("The first one came second.") == []
    assert len(system.texts("The second one came first.")) == 3


def test_an_edit_that_lost_leaves_nothing(system: System) -> None:
    system.imports("As it was.")
    system.files.meanwhile = ("conversation.json", lambda: system.edits("The edit that won."))
    with pytest.raises(VersionConflictError):
        system.edits("The edit that lost.")
    assert system.texts("The edit that lost.") == []
    assert system.row.object_keys() <= system.files.objects.keys()


def test_an_enrichment_that_lost_leaves_nothing(system: System) -> None:
    system.imports("As it was.")
    before = system.row
    system.files.meanwhile = ("enriched.json", lambda: system.enricher.enrich(before))
    with pytest.raises(VersionConflictError):
        system.enricher.enrich(before)
    enriched = {key for key in system.files.objects if key.endswith("enriched.json")}
    assert enriched == {before.enriched_file_path, system.row.enriched_file_path}


@pytest.mark.parametrize("stored", ["conversation.json", "enriched.json"])
def test_after_a_deletion_during_an_edit_nothing_is_left(system: System, stored: str) -> None:
    system.imports("As it was.")
    system.files.meanwhile = (stored, system.deletes)
    with pytest.raises(NotFoundError):
        system.edits("Too late.")
    assert system.files.objects == {}


def test_after_a_deletion_during_an_import_nothing_is_left(system: System) -> None:
    system.files.meanwhile = ("enriched.json", system.deletes)
    with pytest.raises(NotFoundError):
        system.imports("Too late.")
    assert system.files.objects == {}


class AnswerLost(InMemoryConversations):
    """Writes a row; the answer is lost, and the repetition finds the row changed."""

    def replace(self, record: ConversationRecord, seen_version: int) -> ConversationRecord:
        stored = super().replace(record, seen_version)
        if self.loses:
            return super().replace(record, seen_version)
        return stored

    def add(self, record: ConversationRecord) -> None:
        super().add(record)
        if self.loses:
            raise DuplicateKeyError("taken")

    loses = True


def test_what_the_row_points_to_stays_where_a_write_only_seemed_to_lose() -> None:
    system = System(AnswerLost())
    with pytest.raises(InvalidInputError, match="None of the document's 1 conversations"):
        system.imports("It was stored.")
    assert set(system.files.objects) == system.row.object_keys()
    with pytest.raises(VersionConflictError):
        system.enricher.enrich(system.row)
    assert set(system.files.objects) == system.row.object_keys()


def test_what_cannot_be_removed_does_not_hide_why_the_write_lost(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: str) -> None:
        raise StorageError("DeleteObject", "no answer")

    system.imports("As it was.")
    old = dataclasses.replace(system.row, version=system.row.version - 1)
    monkeypatch.setattr(system.files, "remove", fails)
    with pytest.raises(VersionConflictError):
        system.enricher.enrich(old)
