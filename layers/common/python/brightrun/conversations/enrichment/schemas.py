"""Requests and responses of the enrichment routes, in the format of v1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field

from brightrun.conversations.enrichment.model import RETRIABLE, STAGES, Stage, completed_stages
from brightrun.conversations.enrichment.service import EnrichmentResult
from brightrun.conversations.model import ConversationRecord, EnrichmentStatus
from brightrun.core.fields import Flag
from brightrun.http.schemas import (
    CamelNestedModel,
    CamelRequest,
    Identifier,
    NestedModel,
    ResponseModel,
)

if TYPE_CHECKING:
    from brightrun.conversations.model import ConversationRecord


StageStatus = Literal["pending", "in_progress", "completed", "failed"]


class StageView(NestedModel):
    """One of the five stages."""

    status: StageStatus = "pending"
    started_at: str | None = None
    completed_at: str | None = None
    error: str | None = None


class EnrichmentResponse(ResponseModel):
    """POST /api/conversations/{id}/enrich, if every stage was completed."""

    conversation_id: str
    final_status: EnrichmentStatus
    stages_completed: list[str]
    enriched_path: str | None
    enriched_size: int | None
    validation_report: dict[str, Any] | None
    quality_score: float | None
    flags: list[str]
    message: str

    @classmethod
    def from_domain(cls, record: ConversationRecord) -> Self:
        """Create the response to a completed run."""
        return cls(
            conversation_id=record.conversation_id,
            final_status=record.enrichment_status,
            stages_completed=completed_stages(record),
            enriched_path=record.enriched_file_path,
            enriched_size=record.enriched_file_size,
            validation_report=record.validation_report,
            quality_score=record.quality_score,
            flags=record.flags,
            message="The conversation is enriched.",
        )


class EnrichmentState(ResponseModel):
    """GET /api/conversations/{id}/enrich; `stages` are those of the last run."""

    conversation_id: str
    enrichment_status: EnrichmentStatus
    can_enrich: bool
    needs_retry: bool
    has_raw_response: bool
    enrichment_error: str | None
    enriched_at: str | None
    enriched_file_size: int | None
    stages: dict[Stage, StageView]

    @classmethod
    def from_domain(cls, record: ConversationRecord) -> Self:
        """Create the response from a row."""
        has_raw = bool(record.raw_response_path)
        return cls(
            conversation_id=record.conversation_id,
            enrichment_status=record.enrichment_status,
            can_enrich=has_raw or bool(record.file_path),
            needs_retry=record.enrichment_status in RETRIABLE,
            has_raw_response=has_raw,
            enrichment_error=record.enrichment_error,
            enriched_at=record.enriched_at,
            enriched_file_size=record.enriched_file_size,
            stages=_stages(record),
        )


class PipelineStage(NestedModel):
    """One of v1's four stages."""

    name: str
    status: StageStatus
    completed_at: str | None


class Timeline(NestedModel):
    """The times of the conversation's stages."""

    raw_stored_at: str
    enriched_at: str | None
    last_updated: str


class ValidationReportResponse(ResponseModel):
    """GET /api/conversations/{id}/validation-report; the report is null before the first run."""

    conversation_id: str
    enrichment_status: EnrichmentStatus
    processing_status: str
    validation_report: dict[str, Any] | None
    enrichment_error: str | None
    timeline: Timeline
    pipeline_stages: dict[str, PipelineStage]

    @classmethod
    def from_domain(cls, record: ConversationRecord) -> Self:
        """Create the response from a row."""
        return cls(
            conversation_id=record.conversation_id,
            enrichment_status=record.enrichment_status,
            processing_status=record.processing_status,
            validation_report=record.validation_report,
            enrichment_error=record.enrichment_error,
            timeline=Timeline(
                raw_stored_at=record.created_at,
                enriched_at=record.enriched_at,
                last_updated=record.updated_at,
            ),
            pipeline_stages=_pipeline(record),
        )


class BulkEnrichment(CamelRequest):
    """POST /api/conversations/bulk-enrich; `sequential` disables concurrency."""

    conversation_ids: Annotated[list[Identifier], Field(min_length=1, max_length=100)]
    sequential: Flag = False


class BulkSummary(NestedModel):
    """Counts of the results."""

    total: int = Field(description="Results: the successful, failed and skipped ones.")
    successful: int = Field(description="Conversations that were enriched now.")
    failed: int = Field(description="Conversations that could not be enriched.")
    skipped: int = Field(description="Conversations that had been enriched before.")


class BulkResult(CamelNestedModel):
    """The result of one conversation."""

    conversation_id: str
    status: Literal["enriched", "failed", "skipped"]
    error: str | None
    enrichment_status: str | None


class BulkResponse(NestedModel):
    """One result for each conversation; `success` is false if one of them failed."""

    success: bool
    summary: BulkSummary
    results: list[BulkResult]

    @classmethod
    def from_domain(cls, results: list[EnrichmentResult]) -> Self:
        """Create the response from the results."""
        counts = [result.status for result in results]
        summary = BulkSummary(
            total=len(counts),
            successful=counts.count("enriched"),
            failed=counts.count("failed"),
            skipped=counts.count("skipped"),
        )
        return cls(success=summary.failed == 0, summary=summary, results=results)


def _stages(record: ConversationRecord) -> dict[Stage, StageView]:
    return {
        stage: StageView.model_validate(record.enrichment_stages.get(stage, {})) for stage in STAGES
    }


def _pipeline(record: ConversationRecord) -> dict[str, PipelineStage]:
    stages = _stages(record)
    generation = PipelineStage(
        name="Claude Generation", status="completed", completed_at=record.created_at
    )
    named: tuple[tuple[str, str, Stage], ...] = (
        ("stage_2_validation", "Structural Validation", "validate"),
        ("stage_3_enrichment", "Data Enrichment", "enrich"),
        ("stage_4_normalization", "JSON Normalization", "normalize"),
    )
    return {"stage_1_generation": generation} | {
        key: PipelineStage(
            name=name, status=stages[stage].status, completed_at=stages[stage].completed_at
        )
        for key, name, stage in named
    }
