"""Training files' rows in memory, and enriched conversations to make files of."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from brightrun.conversations.emotions import declared_arc
from brightrun.conversations.enrichment.document import enriched_document
from brightrun.conversations.enrichment.model import Scaffold
from brightrun.conversations.model import ConversationRecord
from brightrun.conversations.quality.model import Quality
from brightrun.conversations.quality.score import score_quality
from brightrun.conversations.quality.transcript import Transcript
from brightrun.core.errors import NotFoundError, StorageError
from brightrun.core.pages import Page
from brightrun.training_files.gateway import BuildWorkflow
from brightrun.training_files.model import (
    Build,
    TrainingFile,
    TrainingFileVersion,
    name_key,
    name_taken,
    version_conflict,
)
from brightrun.training_files.repository import TrainingFileObjects, TrainingFileRepository
from tests.builders import OWNER, a_conversation, a_turn
from tests.fakes import scaffolding as records
from tests.fakes.conversations import a_record
from tests.fakes.external_services import InMemoryObjects


class InMemoryTrainingFiles(TrainingFileRepository):
    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], TrainingFile] = {}

    def add(self, file: TrainingFile) -> None:
        if not self.name_is_free(file.owner_id, file.name):
            raise name_taken(file.name)
        self._rows[file.owner_id, file.file_id] = file

    def name_is_free(self, owner_id: str, name: str) -> bool:
        taken = {name_key(row.name) for row in self._rows.values() if row.owner_id == owner_id}
        return name_key(name) not in taken

    def training_file(self, owner_id: str, file_id: str) -> TrainingFile:
        try:
            return self._rows[owner_id, file_id]
        except KeyError:
            raise NotFoundError("training file", file_id) from None

    def training_files(
        self, owner_id: str, *, limit: int, cursor: str | None
    ) -> Page[TrainingFile]:
        rows = [row for row in self._rows.values() if row.owner_id == owner_id]
        rows.sort(key=lambda row: row.file_id, reverse=True)
        start = int(cursor or 0)
        following = str(start + limit) if start + limit < len(rows) else None
        return Page(tuple(rows[start : start + limit]), following)

    def replace(self, file: TrainingFile, seen: TrainingFile) -> None:
        current = self.training_file(file.owner_id, file.file_id)
        if (current.version, _token(current)) != (seen.version, _token(seen)):
            raise version_conflict(current)
        self._rows[file.owner_id, file.file_id] = dataclasses.replace(
            file, imported_versions=current.imported_versions
        )

    def set_imported(self, owner_id: str, file_id: str, version: int, *, imported: bool) -> None:
        """The change that the datasets' repository makes in its transactions."""
        current = self.training_file(owner_id, file_id)
        others = {one for one in current.imported_versions if one != version}
        versions = sorted({*others, version} if imported else others)
        self._rows[owner_id, file_id] = dataclasses.replace(current, imported_versions=versions)


def _token(file: TrainingFile) -> str | None:
    return file.build.token if file.build else None


class InMemoryTrainingFileObjects(InMemoryObjects, TrainingFileObjects):
    """The objects of training files; `most_held` is the size of the largest part."""

    def __init__(self) -> None:
        super().__init__()
        self.uploads: dict[str, tuple[str, dict[int, bytes]]] = {}
        self.most_held = 0
        self._begun = count(1)

    def begin_parts(self, key: str, content_type: str) -> str:
        upload_id = f"upload-{next(self._begun)}"
        self.uploads[upload_id] = (key, {})
        return upload_id

    def put_part(self, key: str, upload_id: str, number: int, data: bytes) -> str:
        if upload_id not in self.uploads:
            raise StorageError("UploadPart", "NoSuchUpload")
        self.uploads[upload_id][1][number] = data
        self.most_held = max(self.most_held, len(data))
        return _etag(data)

    def complete_parts(self, key: str, upload_id: str, etags: Sequence[str]) -> None:
        if upload_id not in self.uploads:
            return
        parts = self.uploads[upload_id][1]
        if [_etag(parts[number]) for number in range(1, len(etags) + 1)] != list(etags):
            raise StorageError("CompleteMultipartUpload", "InvalidPart")
        whole = b"".join(parts[number] for number in range(1, len(etags) + 1))
        InMemoryObjects.put(self, key, whole.decode(), content_type="")
        del self.uploads[upload_id]

    def abandon_parts(self, prefix: str) -> None:
        for upload_id, (key, _) in list(self.uploads.items()):
            if key.startswith(prefix):
                del self.uploads[upload_id]

    def blocks(self, key: str, start: int = 0) -> Iterator[bytes]:
        if key in self.objects:
            data = self.objects[key].text.encode()[start:]
            yield from (data[at : at + 1000] for at in range(0, len(data), 1000))


def _etag(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class RecordedBuilds(BuildWorkflow):
    """The build workflow; remembers which attempts were started."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def ensure_building(self, file: TrainingFile, build: Build) -> None:
        if build.attempt not in self.started:
            self.started.append(build.attempt)


def a_training_file(file_id: str, size: int) -> TrainingFile:
    """A file of one version, whose JSONL has `size` bytes."""
    version = TrainingFileVersion(
        version=1,
        created_at="2026-11-21T12:00:00.000Z",
        created_by=OWNER,
        json_key=f"{file_id}/v1/a/training.json",
        jsonl_key=f"{file_id}/v1/a/training.jsonl",
        json_file_size=size,
        jsonl_file_size=size,
        json_sha256="ab" * 32,
        jsonl_sha256="cd" * 32,
        conversation_count=1,
        added_conversations=1,
        total_training_pairs=2,
        trainable_pairs=1,
    )
    return TrainingFile(
        owner_id=OWNER,
        file_id=file_id,
        name=f"File {file_id}",
        description="",
        created_at=version.created_at,
        updated_at=version.created_at,
        created_by=OWNER,
        versions=[version],
        scaffolding_distribution={},
    )


def an_enriched_record(conversation_id: str, **changes: Any) -> ConversationRecord:
    """The record of an enriched conversation."""
    fields: dict[str, Any] = {
        "enrichment_status": "completed",
        "enriched_file_path": f"owner-1/{conversation_id}/enriched.json",
        "quality_score": 4.0,
        "quality_tier": "production",
    }
    return a_record(conversation_id, **{**fields, **changes})


def an_enriched_text(conversation_id: str, *texts: str) -> str:
    """An enriched file with these texts as its turns, or with texts that no other file has."""
    turns = texts or [
        f"Turn {number} of {conversation_id}, and no other." for number in range(1, 5)
    ]
    document = a_conversation(turns=[a_turn(at, text) for at, text in enumerate(turns, 1)])
    scaffold = Scaffold(
        consultant=records.consultant(),
        system_prompt="You are a patient consultant who answers one question at a time.",
        persona=records.persona(),
        arc=records.arc(),
        topic=records.topic(),
    )
    enriched = enriched_document(
        document,
        scaffold,
        _quality(document),
        conversation_id=conversation_id,
        created_at="2026-11-21T12:00:00.000Z",
    )
    return json.dumps(enriched, ensure_ascii=False, indent=2)


def _quality(document: dict[str, Any]) -> Quality:
    arc = declared_arc(records.arc())
    return score_quality(Transcript(document["turns"]), arc, arc_key=None, key_concepts=())
