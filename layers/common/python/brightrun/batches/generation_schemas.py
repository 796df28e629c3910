"""Requests and responses of the routes that create batch jobs: generation and judgement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from brightrun.batches.create_batch import BatchRequest, CreatedBatch, ParameterSet, Selection
from brightrun.batches.create_judgements import (
    MAX_CONVERSATIONS,
    CreatedJudgements,
    JudgementRequest,
)
from brightrun.batches.model import (
    MAX_CALLS_PER_WORKER,
    MAX_ITEMS,
    MAX_WORKERS,
    ErrorHandling,
    JobStatus,
    Priority,
)
from brightrun.core.errors import InvalidInputError
from brightrun.core.ids import conversation_id, item_id
from brightrun.http.schemas import (
    LIST,
    WORD,
    CamelRequest,
    CamelResponseModel,
    Identifier,
    Name,
    RequestModel,
    ResponseModel,
)
from brightrun.scaffolding.combination_schemas import CombinationRequest
from brightrun.scaffolding.model import Tier

if TYPE_CHECKING:
    pass


Keys = Annotated[list[Identifier], Field(min_length=1, max_length=1000)]
Choice = Annotated[
    Annotated[Literal["all"], Tag(WORD)] | Annotated[Keys, Tag(LIST)],
    Discriminator(lambda value: WORD if isinstance(value, str) else LIST),
]
Workers = Annotated[int, Field(strict=True, ge=1, le=MAX_WORKERS)]
Calls = Annotated[int, Field(strict=True, ge=1, le=MAX_CALLS_PER_WORKER)]
# What `_has_one_source` checks, for the OpenAPI document.
_ONE_SOURCE: dict[str, Any] = {
    "oneOf": [
        {
            "required": [given],
            "properties": {given: {"type": kind}, other: {"type": "null"}},
        }
        for given, kind, other in (
            ("parameterSets", "array", "selection"),
            ("selection", "object", "parameterSets"),
        )
    ]
}


class SetParameters(RequestModel):
    """The three records of one conversation, each by its id or key."""

    persona_id: Identifier | None = None
    emotional_arc_id: Identifier | None = None
    training_topic_id: Identifier | None = None


class RequestedSet(CamelRequest):
    """One conversation of a batch."""

    parameters: SetParameters = SetParameters()
    template_id: Identifier | None = Field(
        default=None, description="None or the NIL UUID: one is selected."
    )
    tier: Tier | None = Field(default=None, description="None: the arc's own.")


class RequestedSelection(RequestModel):
    """Every combination of personas, arcs and topics."""

    personas: Choice
    emotional_arcs: Choice
    training_topics: Choice
    template_id: Identifier | None = None

    def to_selection(self) -> Selection:
        """Convert to the planner's selection."""
        return Selection(self.personas, self.emotional_arcs, self.training_topics, self.template_id)


Sets = Annotated[list[RequestedSet], Field(min_length=1, max_length=MAX_ITEMS)]


class BatchBody(CamelRequest):
    """POST /api/conversations/generate-batch: parameter sets, or a selection."""

    name: Name
    parameter_sets: Sets | None = None
    selection: RequestedSelection | None = None
    shared_parameters: SetParameters = SetParameters()
    concurrent_processing: Workers = 3
    calls_per_worker: Calls | None = Field(
        default=None, description="Calls a worker keeps in flight; None: as many as it can."
    )
    error_handling: ErrorHandling = "continue"
    priority: Priority = "normal"

    model_config = {"json_schema_extra": _ONE_SOURCE}

    @model_validator(mode="after")
    def _has_one_source(self) -> BatchBody:
        if (self.parameter_sets is None) == (self.selection is None):
            raise ValueError("give either parameterSets or selection")
        return self

    def to_request(self) -> BatchRequest:
        """Convert to the service's request; raises InvalidInputError for a set without its ids."""
        return BatchRequest(
            name=self.name,
            sets=tuple(self._sets()),
            selection=self.selection.to_selection() if self.selection else None,
            concurrent_processing=self.concurrent_processing,
            calls_per_worker=self.calls_per_worker,
            error_handling=self.error_handling,
            priority=self.priority,
        )

    def _sets(self) -> Iterator[ParameterSet]:
        # Shared parameters take precedence over a set's own, as in v1.
        shared = self.shared_parameters.model_dump(exclude_none=True)
        for number, requested in enumerate(self.parameter_sets or ()):
            ids = {**requested.parameters.model_dump(), **shared}
            for name, value in ids.items():
                if value is None:
                    raise _missing(f"parameterSets.{number}.parameters.{name}")
            yield _parameter_set(ids, requested.template_id, requested.tier)


class SingleBody(CombinationRequest):
    """POST /api/conversations/generate-with-scaffolding."""

    tier: Tier | None = None
    template_id: Identifier | None = None

    def to_request(self) -> BatchRequest:
        """Convert to the service's request."""
        return _single_batch(_parameter_set(self.model_dump(), self.template_id, self.tier))


class TemplateBody(CamelRequest):
    """POST /api/conversations/generate: by template, like v1's low-level route."""

    template_id: Identifier
    parameters: CombinationRequest
    tier: Tier | None = None

    def to_request(self) -> BatchRequest:
        """Convert to the service's request."""
        ids = self.parameters.model_dump()
        return _single_batch(_parameter_set(ids, self.template_id, self.tier))


def _single_batch(parameters: ParameterSet) -> BatchRequest:
    return BatchRequest(name="Single conversation", sets=(parameters,), concurrent_processing=1)


def _parameter_set(ids: dict[str, Any], template: str | None, tier: str | None) -> ParameterSet:
    return ParameterSet(
        persona=ids["persona_id"],
        emotional_arc=ids["emotional_arc_id"],
        training_topic=ids["training_topic_id"],
        template=template,
        tier=tier,
    )


def _missing(field: str) -> InvalidInputError:
    return InvalidInputError(
        f"{field} is missing, and sharedParameters does not give it.",
        details=[{"field": field, "message": "Field required"}],
    )


class BatchAccepted(CamelResponseModel):
    """The created job; `estimatedCost` in USD, `estimatedTime` in seconds."""

    job_id: str
    status: JobStatus
    total_items: int
    estimated_cost: float
    estimated_time: int
    message: str

    @classmethod
    def from_domain(cls, created: CreatedBatch) -> Self:
        """Show a created job."""
        job = created.job
        return cls(
            job_id=job.job_id,
            status=job.status,
            total_items=job.total_items,
            estimated_cost=created.estimated_cost,
            estimated_time=created.estimated_time,
            message=f"Batch of {job.total_items} conversations accepted.",
        )


class SingleAccepted(ResponseModel):
    """The created job of one conversation, which can be read under its id once it is generated."""

    job_id: str = Field(serialization_alias="jobId")
    conversation_id: str
    status: JobStatus
    estimated_cost: float
    estimated_time: int

    @classmethod
    def from_domain(cls, created: CreatedBatch) -> Self:
        """Show a created job of one item."""
        job = created.job
        return cls(
            job_id=job.job_id,
            conversation_id=conversation_id(item_id(job.job_id, 1)),
            status=job.status,
            estimated_cost=created.estimated_cost,
            estimated_time=created.estimated_time,
        )


class JudgementsBody(CamelRequest):
    """POST /api/conversations/judge."""

    conversation_ids: Annotated[list[Identifier], Field(min_length=1, max_length=MAX_CONVERSATIONS)]
    model: Identifier | None = Field(
        default=None,
        description="The judging model, never one that wrote a conversation; None: chosen.",
    )
    name: Name = "Judgement"
    concurrent_processing: Workers = 1

    def to_request(self) -> JudgementRequest:
        """Convert to the service's request."""
        return JudgementRequest(
            conversation_ids=tuple(self.conversation_ids),
            model=self.model,
            name=self.name,
            concurrent_processing=self.concurrent_processing,
        )


class JudgementsAccepted(CamelResponseModel):
    """The created job, None if all were judged before; `estimatedCost` in USD."""

    job_id: str | None
    status: JobStatus | None
    total_items: int
    model: str | None
    rubric_version: str
    already_judged: Sequence[str]
    estimated_cost: float
    message: str

    @classmethod
    def from_domain(cls, created: CreatedJudgements) -> Self:
        """Show a created job."""
        job, skipped = created.job, len(created.already_judged)
        total = job.total_items if job else 0
        return cls(
            job_id=job.job_id if job else None,
            status=job.status if job else None,
            total_items=total,
            model=job.model if job else None,
            rubric_version=created.rubric_version,
            already_judged=created.already_judged,
            estimated_cost=created.estimated_cost,
            message=f"{total} conversations are being judged, {skipped} were judged before.",
        )
