"""Request and response bodies of the training file routes, with v1's fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AliasPath, ConfigDict, Field

from brightrun.core.fields import Flag
from brightrun.core.pages import Page
from brightrun.http.schemas import Description, Name, NestedModel, RequestModel, ResponseModel
from brightrun.training_files.build_training_file import ConversationSelection
from brightrun.training_files.model import Eligibility, TrainingFile
from brightrun.training_files.service import FileLink

MAX_IDS = 80
"""Conversations in one request, as in v1."""
Ids = Annotated[list[UUID], Field(min_length=1, max_length=MAX_IDS)]


class ConversationsToAdd(RequestModel):
    """POST /api/training-files/{id}/add-conversations.

    `enriched` accepts enriched conversations that were neither rejected nor archived, with a severe
    flag only if they are approved; `approved` accepts only approved ones.
    """

    conversation_ids: Ids
    eligibility: Eligibility = "enriched"
    allow_duplicates: Flag = Field(
        default=False, description="Accept conversations that have the same text as another one."
    )

    def to_selection(self) -> ConversationSelection:
        """Convert to the service's request."""
        ids = [str(one) for one in self.conversation_ids]
        return ConversationSelection(ids, self.eligibility, self.allow_duplicates)


class NewTrainingFile(ConversationsToAdd):
    """POST /api/training-files."""

    name: Name
    description: Description = ""


class VersionView(NestedModel):
    """One immutable version; sizes are in bytes."""

    model_config = ConfigDict(validate_by_alias=True, validate_by_name=True)

    version: int
    created_at: str
    json_file_path: str = Field(validation_alias="json_key")
    jsonl_file_path: str = Field(validation_alias="jsonl_key")
    json_file_size: int
    jsonl_file_size: int
    json_sha256: str
    jsonl_sha256: str
    conversation_count: int
    added_conversations: int
    total_training_pairs: int
    trainable_pairs: int
    simulated: bool
    avg_quality_score: float | None = Field(validation_alias=AliasPath("quality", "average"))
    min_quality_score: float | None = Field(validation_alias=AliasPath("quality", "lowest"))
    max_quality_score: float | None = Field(validation_alias=AliasPath("quality", "highest"))
    human_reviewed_count: int = Field(validation_alias=AliasPath("quality", "human_reviewed"))


class TrainingFileView(VersionView):
    """A training file with the fields of its newest version."""

    id: str
    name: str
    description: str
    status: Literal["active"]
    scaffolding_distribution: dict[str, dict[str, int]]
    last_updated_at: str
    created_by: str

    @classmethod
    def from_domain(cls, file: TrainingFile) -> Self:
        """Show a file."""
        newest = VersionView.model_validate(file.newest).model_dump()
        about = {
            "id": file.file_id,
            "name": file.name,
            "description": file.description,
            "status": file.status,
            "scaffolding_distribution": file.scaffolding_distribution,
            "last_updated_at": file.updated_at,
            "created_by": file.created_by,
            "created_at": file.created_at,
        }
        return cls.model_validate(newest | about)


class TrainingFileResponse(ResponseModel):
    """A training file after it was created or extended."""

    training_file: TrainingFileView = Field(alias="trainingFile")
    message: str

    @classmethod
    def from_domain(cls, file: TrainingFile) -> Self:
        """Show a file."""
        newest = file.newest
        return cls(
            trainingFile=TrainingFileView.from_domain(file),
            message=f"Version {newest.version} holds {newest.conversation_count} conversations "
            f"with {newest.trainable_pairs} trainable pairs.",
        )


class TrainingFileDetails(ResponseModel):
    """GET /api/training-files/{id}; versions oldest first."""

    training_file: TrainingFileView = Field(alias="trainingFile")
    versions: list[VersionView]

    @classmethod
    def from_domain(cls, file: TrainingFile) -> Self:
        """Show a file with all its versions."""
        versions = [VersionView.model_validate(one) for one in file.versions]
        return cls(trainingFile=TrainingFileView.from_domain(file), versions=versions)


class TrainingFileList(ResponseModel):
    """GET /api/training-files."""

    files: list[TrainingFileView]
    count: int
    next_cursor: str | None

    @classmethod
    def from_domain(cls, page: Page[TrainingFile]) -> Self:
        """Show a page."""
        shown = [TrainingFileView.from_domain(file) for file in page.records]
        return cls(files=shown, count=len(shown), next_cursor=page.next_cursor)


class TrainingFileLink(FileLink, ResponseModel):
    """GET /api/training-files/{id}/download."""


class ImportableView(TrainingFileView):
    """A training file, and whether a dataset can be created from its newest version."""

    is_imported: bool
    can_import: bool


class ImportSummary(NestedModel):
    """The numbers of training files, imported and not."""

    total_training_files: int
    already_imported: int
    available_for_import: int


class ImportableList(ResponseModel):
    """GET /api/training-files/available-for-import."""

    available_for_import: list[ImportableView]
    all_training_files: list[ImportableView]
    summary: ImportSummary

    @classmethod
    def from_domain(cls, files: Sequence[TrainingFile]) -> Self:
        """Show all files, and separately those that can be imported."""
        shown = [
            ImportableView.model_validate(
                TrainingFileView.from_domain(file).model_dump()
                | {"is_imported": file.is_imported, "can_import": file.can_import}
            )
            for file in files
        ]
        available = [file for file in shown if file.can_import]
        return cls(
            available_for_import=available,
            all_training_files=shown,
            summary=ImportSummary(
                total_training_files=len(shown),
                already_imported=sum(file.is_imported for file in shown),
                available_for_import=len(available),
            ),
        )
