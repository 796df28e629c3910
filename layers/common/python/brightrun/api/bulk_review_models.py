"""How one decision about many conversations is asked for and shown."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from brightrun.api.review_models import Reason
from brightrun.api.shapes import CamelPart, CamelRequest, Identifier, Part, RequestModel
from brightrun.domain.conversation_list import ConversationFilter
from brightrun.domain.conversation_record import EnrichmentStatus, ReviewStatus
from brightrun.domain.review import Decision, Deletion, ReviewAction
from brightrun.domain.scaffolding import Tier
from brightrun.services.review_many import MOST_AT_ONCE, DecidedMany

Quality = Annotated[float, Field(ge=0, le=5)]


class BulkFilter(RequestModel):
    """Which conversations are meant; the fields are those of the list, and one must be given."""

    status: ReviewStatus | None = None
    tier: Tier | None = None
    persona_id: Identifier | None = None
    emotional_arc_id: Identifier | None = None
    training_topic_id: Identifier | None = None
    batch_job_id: Identifier | None = None
    enrichment_status: EnrichmentStatus | None = None
    quality_min: Quality | None = None
    quality_max: Quality | None = None
    search: Annotated[str, Field(min_length=1, max_length=200)] | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.model_dump(exclude_none=True):
            raise ValueError("Name at least one field; an empty filter would mean everything.")
        return self

    def wanted(self) -> ConversationFilter:
        """The filter as the list has it."""
        given = self.model_dump(exclude_none=True)
        others = {name: given.pop(name, None) for name in ("quality_min", "quality_max", "search")}
        return ConversationFilter(given, **others)


class BulkAction(CamelRequest):
    """POST /api/conversations/bulk-action: up to 100 ids, or a filter; a rejection needs a reason.

    `delete` takes the conversations away for good; what training files hold of them stays there.

    By a filter at most 100 are changed at once; `remaining` says how many are left.
    """

    action: ReviewAction | Literal["delete"]
    conversation_ids: (
        Annotated[list[Identifier], Field(min_length=1, max_length=MOST_AT_ONCE)] | None
    ) = None
    filter: BulkFilter | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.conversation_ids is None) == (self.filter is None):
            raise ValueError("Give either conversationIds or filter.")
        return self

    def decision(self) -> Decision | Deletion:
        """Say it in the service's words; raises InvalidInputError for a rejection without why."""
        if self.action == "delete":
            return Deletion(self.reason)
        return Decision(self.action, self.reason)


class BulkReviewSummary(Part):
    """How many became what."""

    total: int
    updated: int
    deleted: int
    unchanged: int
    not_found: int
    conflict: int


class BulkReviewResult(CamelPart):
    """What became of one conversation, and what it is now."""

    conversation_id: str
    outcome: Literal["updated", "deleted", "unchanged", "not_found", "conflict"]
    status: ReviewStatus | None
    version: int | None


class BulkReviewAnswer(Part):
    """One result for each conversation; `success` is false when one was not found or was changed.

    `remaining` counts what the filter still finds to change; null where ids were given.
    """

    success: bool
    summary: BulkReviewSummary
    results: list[BulkReviewResult]
    remaining: int | None

    @classmethod
    def of(cls, decided: DecidedMany) -> Self:
        """Show what became of all."""
        counts = Counter[str](result.outcome for result in decided.results)
        outcomes = ("updated", "deleted", "unchanged", "not_found", "conflict")
        return cls(
            success=not counts["not_found"] and not counts["conflict"],
            summary=BulkReviewSummary.model_validate(
                {"total": counts.total(), **{name: counts[name] for name in outcomes}}
            ),
            results=[BulkReviewResult.model_validate(result) for result in decided.results],
            remaining=decided.remaining,
        )
