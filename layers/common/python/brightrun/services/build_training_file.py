"""Makes training files and lets them grow: objects first, then the row that points at them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from brightrun.domain import object_keys
from brightrun.domain.ids import time_ordered_id
from brightrun.domain.moments import iso
from brightrun.domain.training_document import (
    TrainingTexts,
    conversation_entry,
    read_training_json,
    scores_of,
    training_texts,
)
from brightrun.domain.training_file import (
    MOST_BYTES,
    MOST_VERSIONS,
    FileFormat,
    QualitySummary,
    TrainingFile,
    TrainingFileVersion,
    name_taken,
)
from brightrun.errors import StorageError, TrainingFileFullError, VersionConflictError
from brightrun.formats.v4_files import V4Document
from brightrun.ports import Clock, ObjectStore, TrainingFileRepository
from brightrun.services.choose_conversations import Choice, Chosen, ConversationChooser

CONTENT_TYPES = {"json": "application/json", "jsonl": "application/x-ndjson"}


@dataclass(frozen=True, slots=True)
class TrainingFileBuilder:
    """What the training_files function makes.

    `new_attempt` names one attempt at a version: two that write the same one never share an object.
    """

    files: TrainingFileRepository
    chooser: ConversationChooser
    training_files: ObjectStore
    clock: Clock
    new_attempt: Callable[[], str]

    def create(self, owner_id: str, *, name: str, description: str, choice: Choice) -> TrainingFile:
        """Make a file of a choice of conversations, as version 1.

        Raises DuplicateKeyError, UnfitConversationsError, TrainingFileFullError, StorageError.
        """
        if not self.files.name_is_free(owner_id, name):
            raise name_taken(name)
        chosen = self.chooser.choose(owner_id, choice)
        now = self.clock()
        file_id = time_ordered_id(now)
        document = V4Document(name, [], consultant=chosen[0].enriched["consultant_profile"])
        draft = _Draft(owner_id, file_id, 1, iso(now), iso(now))
        first, texts = self._store(draft, document, QualitySummary(), chosen)
        file = TrainingFile(
            owner_id=owner_id,
            file_id=file_id,
            name=name,
            description=description,
            created_at=iso(now),
            updated_at=iso(now),
            created_by=owner_id,
            versions=[first],
            scaffolding_distribution=texts.scaffolding_distribution,
        )
        self.files.add(file)
        return file

    def add(self, owner_id: str, file_id: str, choice: Choice) -> TrainingFile:
        """Make the file's next version, with more conversations after those it holds.

        When another addition lands first, it is made once more on top of that one. Raises
        NotFoundError, UnfitConversationsError, TrainingFileFullError, StorageError, and
        VersionConflictError when it was overtaken twice.
        """
        try:
            return self._add(owner_id, file_id, choice)
        except VersionConflictError:
            return self._add(owner_id, file_id, choice)

    def _add(self, owner_id: str, file_id: str, choice: Choice) -> TrainingFile:
        file = self.files.training_file(owner_id, file_id)
        if file.version >= MOST_VERSIONS:
            raise TrainingFileFullError(
                f"The training file '{file.name}' has {MOST_VERSIONS} versions, which is all that "
                "one file takes. Make a new file.",
                details=file.state(),
            )
        stored = self.training_files.get(file.newest.json_key)
        if stored is None:
            raise StorageError("GetObject", "the training file has lost its newest version")
        document = read_training_json(stored.text)
        chosen = self.chooser.choose(owner_id, choice, document.conversations)
        now = iso(self.clock())
        draft = _Draft(
            owner_id, file_id, file.version + 1, file.created_at, now, file.newest.simulated
        )
        added, texts = self._store(draft, document, file.newest.quality, chosen)
        grown = file.grown(added, texts.scaffolding_distribution)
        self.files.replace(grown, file.version)
        return grown

    def _store(
        self,
        draft: _Draft,
        document: V4Document,
        quality: QualitySummary,
        chosen: Sequence[Chosen],
    ) -> tuple[TrainingFileVersion, TrainingTexts]:
        for one in chosen:
            document.conversations.append(conversation_entry(one.record, one.enriched))
            reviewed = one.record.reviewed_at is not None
            scores = scores_of(one.record, one.enriched)
            quality = quality.plus(scores, human_reviewed=reviewed)
        texts = training_texts(
            document, quality, created_at=draft.file_created_at, updated_at=draft.now
        )
        _refuse_too_large(document.file_name, texts)
        attempt = self.new_attempt()
        version = TrainingFileVersion(
            version=draft.version,
            created_at=draft.now,
            created_by=draft.owner_id,
            **self._put(draft, attempt, "json", texts.json),
            **self._put(draft, attempt, "jsonl", texts.jsonl),
            conversation_count=texts.conversation_count,
            added_conversations=len(chosen),
            total_training_pairs=texts.total_training_pairs,
            trainable_pairs=texts.trainable_pairs,
            quality=quality,
            simulated=draft.simulated or any(one.record.simulated for one in chosen),
        )
        return version, texts

    def _put(
        self, draft: _Draft, attempt: str, file_format: FileFormat, text: str
    ) -> dict[str, Any]:
        """Store one of the two objects, and say where it is and how to know it again."""
        key = object_keys.training_file(draft.file_id, draft.version, attempt, file_format)
        size = self.training_files.put(key, text, content_type=CONTENT_TYPES[file_format])
        return {
            f"{file_format}_key": key,
            f"{file_format}_file_size": size,
            f"{file_format}_sha256": hashlib.sha256(text.encode()).hexdigest(),
        }


@dataclass(frozen=True, slots=True)
class _Draft:
    """Which version of which file is being made; `simulated` is what the one before it was."""

    owner_id: str
    file_id: str
    version: int
    file_created_at: str
    now: str
    simulated: bool = False


def _refuse_too_large(name: str, texts: TrainingTexts) -> None:
    size = len(texts.json.encode())
    if size > MOST_BYTES:
        raise TrainingFileFullError(
            f"The training file '{name}' would have {size} bytes, more than the {MOST_BYTES} that "
            "one file takes. Choose fewer conversations, or make a new file.",
            details={"bytes": size, "most_bytes": MOST_BYTES},
        )
