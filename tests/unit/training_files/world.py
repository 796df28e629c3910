"""Everything that makes training files, in memory."""

from __future__ import annotations

import json
from typing import Any

from brightrun.conversations.enrichment.model import read_enriched
from brightrun.conversations.model import ConversationRecord
from brightrun.conversations.service import ConversationLister
from brightrun.training_files.assemble_version import VersionAssembler
from brightrun.training_files.build_training_file import TrainingFileBuilder
from brightrun.training_files.build_version import BuildStep, VersionBuilder
from brightrun.training_files.model import TrainingFile
from brightrun.training_files.selection import (
    ConversationSelection,
    ConversationSelector,
    SelectedConversation,
)
from tests.builders import OWNER, SteppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.external_services import InMemoryKeys, InMemoryObjects
from tests.fakes.training_files import (
    InMemoryTrainingFileObjects,
    InMemoryTrainingFiles,
    RecordedBuilds,
    an_enriched_record,
    an_enriched_text,
)


class World:
    """A builder with everything it needs in memory."""

    def __init__(self, *records: ConversationRecord) -> None:
        self.conversations = InMemoryConversations(*records)
        self.conversation_files = InMemoryObjects()
        for record in records:
            self.write(record.conversation_id)
        self.files = InMemoryTrainingFiles()
        self.objects = InMemoryTrainingFileObjects()
        self.workflow = RecordedBuilds()
        self.clock = SteppedClock()
        selector = ConversationSelector(
            self.conversations.conversation,
            self.conversation_files,
            ConversationLister(self.conversations, self.conversation_files, self.clock).matching,
        )
        self.assembler = VersionAssembler(selector, self.objects)
        self.builder = TrainingFileBuilder(
            files=self.files,
            selector=selector,
            assembler=self.assembler,
            workflow=self.workflow,
            keys=InMemoryKeys(),
            clock=self.clock,
        )

    def write(self, conversation_id: str, *texts: str) -> None:
        path = f"owner-1/{conversation_id}/enriched.json"
        text = an_enriched_text(conversation_id, *texts)
        self.conversation_files.put(path, text, content_type="application/json")

    def create(
        self, *ids: str, name: str = "First", idempotency_key: str | None = None, **options: Any
    ) -> TrainingFile:
        return self.builder.create(
            OWNER,
            name=name,
            description="",
            selection=ConversationSelection(ids, **options),
            idempotency_key=idempotency_key,
        )

    def add(
        self, file: TrainingFile, *ids: str, idempotency_key: str | None = None, **options: Any
    ) -> TrainingFile:
        selection = ConversationSelection(ids, **options)
        return self.builder.add(OWNER, file.file_id, selection, idempotency_key)

    def steps(self, page: int) -> VersionBuilder:
        """The function that builds, by pages of so many conversations."""
        return VersionBuilder(self.files, self.assembler, self.clock, page)

    def step(self, file: TrainingFile, page: int = 1, **changes: Any) -> str:
        """Carry out one step of a file's build; returns its status."""
        assert file.build is not None
        step = BuildStep(owner_id=OWNER, file_id=file.file_id, attempt=file.build.attempt)
        return self.steps(page).step(step.model_copy(update=changes)).status

    def finish(self, file: TrainingFile, page: int = 1) -> TrainingFile:
        """Carry out the steps that are left."""
        while self.step(file, page) == "building":
            pass
        return self.stored(file)

    def stored(self, file: TrainingFile) -> TrainingFile:
        return self.files.training_file(OWNER, file.file_id)

    def text(self, key: str) -> str:
        return self.objects.objects[key].text

    def ids_in(self, file: TrainingFile, version: int | None = None) -> list[str]:
        found = file.numbered(version)
        assert found is not None
        stored = json.loads(self.text(found.json_key))
        return [one["conversation_metadata"]["conversation_id"] for one in stored["conversations"]]

    def selected(self, *ids: str) -> list[SelectedConversation]:
        """Conversations with their files, as a whole document is made of them."""
        return [
            SelectedConversation(
                record,
                read_enriched(self.conversation_files.objects[str(record.enriched_file_path)].text),
            )
            for record in (self.conversations.conversation(OWNER, one) for one in ids)
        ]


def a_world(*ids: str, **changes: Any) -> World:
    return World(*(an_enriched_record(one, **changes) for one in ids))
