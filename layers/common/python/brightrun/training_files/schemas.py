"""Request and response bodies of the training file routes, with v1's fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AliasPath, ConfigDict, Field, model_validator

from brightrun.conversations.review.schemas import BulkFilter
from brightrun.core.fields import Flag
from brightrun.core.pages import Page
from brightrun.http.schemas import (
    Description,
    Identifier,
    Name,
    NestedModel,
    PageCount,
    RequestModel,
    ResponseModel,
)
from brightrun.training_files.find_duplicates import MOST_COMPARED
from brightrun.training_files.model import (
    MOST_CONVERSATIONS,
    BuildStatus,
    Eligibility,
    TrainingFile,
)
from brightrun.training_files.preferences import Omission
from brightrun.training_files.selection import ConversationSelection, SelectionPreview
from brightrun.training_files.service import FileLink

Ids = Annotated[list[UUID], Field(min_length=1, max_length=MOST_CONVERSATIONS)]


class ConversationsToAdd(RequestModel):
    """POST /api/training-files/{id}/add-conversations: ids, a filter, or a batch.

    Ids are in the order that the file has; what a filter or a batch selects comes oldest first.
    `enriched` accepts enriched conversations that were neither rejected nor archived, with a severe
    flag only if they are approved; `approved` accepts only approved ones.
    """

    conversation_ids: Ids | None = None
    filter: BulkFilter | None = None
    batch_job_id: Identifier | None = None
    eligibility: Eligibility = "enriched"
    allow_duplicates: Flag = Field(
        default=False, description="Accept conversations that have the same text as another one."
    )
    strict: Flag | None = Field(
        default=None,
        description="Refuse the whole selection if any conversation is not eligible. By default "
        "so with conversation_ids; of a filter or a batch the others are left out.",
    )

    @model_validator(mode="after")
    def _require_one(self) -> Self:
        given = (self.conversation_ids, self.filter, self.batch_job_id)
        if sum(one is not None for one in given) != 1:
            raise ValueError("Give one of conversation_ids, filter and batch_job_id.")
        return self

    def to_selection(self) -> ConversationSelection:
        """Convert to the service's request."""
        where = self.filter.to_filter() if self.filter else None
        if self.batch_job_id is not None:
            where = BulkFilter(batch_job_id=self.batch_job_id).to_filter()
        ids = tuple(str(one) for one in self.conversation_ids or ())
        return ConversationSelection(
            ids, self.eligibility, self.allow_duplicates, where, self.strict
        )


class NewTrainingFile(ConversationsToAdd):
    """POST /api/training-files."""

    name: Name
    description: Description = ""


class ConversationsToCompare(RequestModel):
    """POST /api/conversations/duplicates."""

    conversation_ids: Annotated[list[Identifier], Field(min_length=1, max_length=MOST_COMPARED)]


class EditedConversations(RequestModel):
    """POST /api/conversations/preferences: ids, or a filter; without both, all approved ones.

    A filter without a status means approved ones; named conversations are taken whatever theirs.
    `position` continues from an answer's `next_position`.
    """

    conversation_ids: Ids | None = None
    filter: BulkFilter | None = None
    position: Annotated[int, Field(strict=True, ge=0, le=MOST_CONVERSATIONS)] = 0

    @model_validator(mode="after")
    def _require_at_most_one(self) -> Self:
        if self.conversation_ids is not None and self.filter is not None:
            raise ValueError("Give either conversation_ids or filter.")
        return self

    def to_selection(self) -> ConversationSelection:
        """Convert to the service's request."""
        if self.conversation_ids is not None:
            return ConversationSelection(tuple(str(one) for one in self.conversation_ids))
        named = self.filter.model_dump(exclude_none=True) if self.filter else {}
        return ConversationSelection(
            where=BulkFilter(**{"status": "approved", **named}).to_filter()
        )


class PreferenceMessage(NestedModel):
    """A message of a preference record."""

    role: Literal["system", "user", "assistant"]
    content: str


class PreferenceProvenance(NestedModel):
    """Where a preference record comes from.

    `edited_by`, `edited_at` and `reason` are those of the last of the turn's `edits`; `model` wrote
    the rejected answer, which it gave to another prompt if `prompt_edited`.
    """

    conversation_id: str
    turn_number: int
    review_status: str
    model: str
    simulated: bool
    edits: int
    edited_by: str
    edited_at: str
    reason: str
    prompt_edited: bool


class PreferenceRecord(NestedModel):
    """A line of preference data: TRL's conversational format, with its provenance."""

    prompt: list[PreferenceMessage]
    chosen: list[PreferenceMessage]
    rejected: list[PreferenceMessage]
    metadata: PreferenceProvenance


class OmittedView(NestedModel):
    """An edited conversation without a record."""

    conversation_id: str
    reason: Omission


class PreferenceList(ResponseModel):
    """The records of `examined` of the `selected` conversations; go on from `next_position`."""

    selected: int
    examined: int
    records: list[PreferenceRecord]
    omitted: list[OmittedView]
    next_position: int | None = Field(validation_alias="following")


class DuplicateView(NestedModel):
    """A conversation with the same text as an earlier one; `overlap` from 0 to 1.

    `exact`: all turns are the same, but for case and punctuation; `near`: at least eight of ten
    turns of the shorter one.
    """

    kind: Literal["exact", "near"]
    conversation_id: str
    same_as: str
    overlap: float


class DuplicateList(ResponseModel):
    """The duplicates among the `compared` conversations; the others have no text to compare."""

    compared: int
    duplicates: list[DuplicateView]
    not_enriched: list[str]


class ConversationsToMeasure(RequestModel):
    """POST /api/conversations/diversity; without a filter all enriched conversations."""

    filter: BulkFilter | None = None

    def to_selection(self) -> ConversationSelection:
        """Convert to the service's request."""
        where = self.filter or BulkFilter(enrichment_status="completed")
        return ConversationSelection(where=where.to_filter())


class RepeatedOpeningView(NestedModel):
    """The first six words of a client, and how many conversations begin with them."""

    opening: str
    conversations: int


class DiversityView(NestedModel):
    """Figures of the texts of `conversations`; null without words.

    `distinct_1` and `distinct_2` are the shares of different words and pairs of words, and fall as
    texts grow. `compression_ratio` rises with repetition. `repeated_phrases` is the share of
    phrases of eight words that an earlier conversation has too. Spaces part words: where a language
    has none between them (Chinese, Japanese, Thai), only compression and duplicates tell anything.
    `duplicates` are those that a training file refuses.
    """

    conversations: int
    distinct_1: float | None
    distinct_2: float | None
    compression_ratio: float | None
    repeated_phrases: float | None
    repeated_openings: list[RepeatedOpeningView]
    duplicates: list[DuplicateView]


class DiversityResponse(ResponseModel):
    """The figures of a sample: of more than 500 `matching` conversations, 500 evenly spaced ones.

    Repetitions are found within the sample only.
    """

    matching: int
    diversity: DiversityView
    not_enriched: int


class SelectionToCheck(ConversationsToAdd):
    """POST /api/training-files/preview; `position` continues from an answer's `next_position`."""

    position: Annotated[int, Field(strict=True, ge=0, le=MOST_CONVERSATIONS)] = 0


class SelectionPreviewResponse(ResponseModel):
    """What a page of a selection would give: `checked` are the eligible and those left out.

    Texts are not compared. `left_out` counts by reason, and `examples` names up to 100 of each.
    """

    selected: int
    checked: int
    eligible: int
    left_out: dict[str, int]
    examples: dict[str, list[Any]]
    next_position: int | None

    @classmethod
    def from_domain(cls, preview: SelectionPreview) -> Self:
        """Show a page."""
        counts = preview.left_out.in_order()
        return cls(
            selected=preview.selected,
            checked=preview.checked,
            eligible=preview.eligible,
            left_out=counts,
            examples=preview.left_out.listed,
            next_position=preview.following,
        )


class BuildView(NestedModel):
    """The newest build: conversations looked at, of how many; and why it failed, if it did.

    `left_out` counts the selected conversations that are not in the version, by reason.
    """

    version: int
    status: BuildStatus
    done: int = Field(description="Conversations looked at so far.")
    total: int = Field(description="Conversations to look at, with those of the version before.")
    left_out: dict[str, int]
    error: str | None
    error_code: str | None
    started_at: str
    updated_at: str


class BuildDetails(BuildView):
    """The newest build; `examples` names up to 20 of those left out, for each reason."""

    examples: dict[str, list[Any]]


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
    """A training file with the fields of its newest version: number 0 before there is one.

    `build` is null for files that an older version of this system made.
    """

    id: str
    name: str
    description: str
    status: Literal["active", "building", "failed"]
    scaffolding_distribution: dict[str, dict[str, int]]
    last_updated_at: str
    created_by: str
    build: BuildView | None

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
            "build": file.build and BuildView.model_validate(file.build).model_dump(),
        }
        return cls.model_validate(newest | about)


class TrainingFileResponse(ResponseModel):
    """A training file after it was created or extended."""

    training_file: TrainingFileView = Field(alias="trainingFile")
    message: str

    @classmethod
    def from_domain(cls, file: TrainingFile) -> Self:
        """Show a file."""
        newest, build = file.newest, file.build
        message = (
            f"Version {newest.version} holds {newest.conversation_count} conversations "
            f"with {newest.trainable_pairs} trainable pairs."
        )
        if build is not None and build.status == "building":
            message = f"Version {build.version} is being built of {build.total:,} conversations."
        if build is not None and build.status == "failed":
            message = f"Version {build.version} was not built. {build.error}"
        return cls(trainingFile=TrainingFileView.from_domain(file), message=message)


class TrainingFileDetails(ResponseModel):
    """GET /api/training-files/{id}; versions oldest first."""

    training_file: TrainingFileView = Field(alias="trainingFile")
    versions: list[VersionView]
    build: BuildDetails | None

    @classmethod
    def from_domain(cls, file: TrainingFile) -> Self:
        """Show a file with all its versions."""
        versions = [VersionView.model_validate(one) for one in file.versions]
        build = BuildDetails.model_validate(file.build) if file.build else None
        return cls(trainingFile=TrainingFileView.from_domain(file), versions=versions, build=build)


class TrainingFileList(ResponseModel):
    """GET /api/training-files."""

    files: list[TrainingFileView]
    count: PageCount
    next_cursor: str | None

    @classmethod
    def from_domain(cls, page: Page[TrainingFile]) -> Self:
        """Show a page."""
        shown = [TrainingFileView.from_domain(file) for file in page.records]
        return cls(files=shown, count=len(shown), next_cursor=page.next_cursor)


class TrainingFileLink(FileLink, ResponseModel):
    """GET /api/training-files/{id}/download."""


class ImportableView(TrainingFileView):
    """A training file, and whether a dataset can be created from its newest version.

    `import_obstacle` says why no dataset can hold it.
    """

    is_imported: bool
    can_import: bool
    import_obstacle: str | None


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
                | {
                    "is_imported": file.is_imported,
                    "can_import": file.can_import,
                    "import_obstacle": file.import_obstacle,
                }
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
