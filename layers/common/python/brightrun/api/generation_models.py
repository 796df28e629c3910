"""What the generation routes take and answer."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from brightrun.api.requests import (
    CamelRequest,
    CamelResponse,
    Identifier,
    RequestModel,
    ResponseModel,
)
from brightrun.domain.batch import MAX_ITEMS, MAX_WORKERS, ErrorHandling, Priority
from brightrun.domain.ids import conversation_id, item_id
from brightrun.domain.scaffolding import Tier
from brightrun.domain.transitions import JobStatus
from brightrun.services.create_batch import BatchOrder, CreatedBatch
from brightrun.services.plan_batch import ParameterSet, Selection

Choice = Literal["all"] | Annotated[list[Identifier], Field(min_length=1, max_length=1000)]
Name = Annotated[str, Field(min_length=1, max_length=255)]


class SetParameters(RequestModel):
    """The three records of one conversation, each by its id or key."""

    persona_id: Identifier | None = None
    emotional_arc_id: Identifier | None = None
    training_topic_id: Identifier | None = None


class RequestedSet(CamelRequest):
    """One conversation of a batch."""

    parameters: SetParameters = SetParameters()
    template_id: Identifier | None = Field(
        default=None, description="None, or the NIL UUID: one is selected."
    )
    tier: Tier | None = Field(default=None, description="None: the arc's own.")


class RequestedSelection(RequestModel):
    """Every combination of personas, arcs and topics."""

    personas: Choice
    emotional_arcs: Choice
    training_topics: Choice
    template_id: Identifier | None = None

    def chosen(self) -> Selection:
        """Say it in the service's words."""
        return Selection(
            personas=_frozen(self.personas),
            emotional_arcs=_frozen(self.emotional_arcs),
            training_topics=_frozen(self.training_topics),
            template=self.template_id,
        )


class BatchRequest(CamelRequest):
    """POST /api/conversations/generate-batch: parameter sets, or a selection."""

    name: Name
    parameter_sets: Annotated[list[RequestedSet], Field(max_length=MAX_ITEMS)] | None = None
    selection: RequestedSelection | None = None
    shared_parameters: SetParameters = SetParameters()
    concurrent_processing: Annotated[int, Field(ge=1, le=MAX_WORKERS)] = 3
    error_handling: ErrorHandling = "continue"
    priority: Priority = "normal"

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.parameter_sets is None) == (self.selection is None):
            raise ValueError("give either parameterSets or selection")
        for number, requested in enumerate(self.parameter_sets or (), start=1):
            missing = [name for name, value in self._merged(requested).items() if value is None]
            if missing:
                raise ValueError(f"parameterSets[{number - 1}] lacks {', '.join(missing)}")
        return self

    def order(self) -> BatchOrder:
        """Say it in the service's words."""
        return BatchOrder(
            name=self.name,
            sets=tuple(self._set(requested) for requested in self.parameter_sets or ()),
            selection=self.selection.chosen() if self.selection else None,
            concurrent_processing=self.concurrent_processing,
            error_handling=self.error_handling,
            priority=self.priority,
        )

    def _merged(self, requested: RequestedSet) -> dict[str, str | None]:
        """Shared parameters win over a set's own, as in the original."""
        shared = self.shared_parameters.model_dump(exclude_none=True)
        return {**requested.parameters.model_dump(), **shared}

    def _set(self, requested: RequestedSet) -> ParameterSet:
        merged = self._merged(requested)
        return ParameterSet(
            persona=str(merged["persona_id"]),
            emotional_arc=str(merged["emotional_arc_id"]),
            training_topic=str(merged["training_topic_id"]),
            template=requested.template_id,
            tier=requested.tier,
        )


def _frozen(choice: Literal["all"] | list[str]) -> Literal["all"] | tuple[str, ...]:
    return "all" if choice == "all" else tuple(choice)


class SingleRequest(RequestModel):
    """POST /api/conversations/generate-with-scaffolding."""

    persona_id: Identifier
    emotional_arc_id: Identifier
    training_topic_id: Identifier
    tier: Tier | None = None
    template_id: Identifier | None = None

    def order(self) -> BatchOrder:
        """A single conversation is a batch of one."""
        wanted = ParameterSet(
            self.persona_id,
            self.emotional_arc_id,
            self.training_topic_id,
            self.template_id,
            self.tier,
        )
        return BatchOrder(name="Single conversation", sets=(wanted,), concurrent_processing=1)


class RequiredParameters(RequestModel):
    """The three records of one conversation."""

    persona_id: Identifier
    emotional_arc_id: Identifier
    training_topic_id: Identifier


class TemplateRequest(CamelRequest):
    """POST /api/conversations/generate: the template first, as the original's low-level route."""

    template_id: Identifier
    parameters: RequiredParameters
    tier: Tier | None = None

    def order(self) -> BatchOrder:
        """A single conversation is a batch of one."""
        single = SingleRequest(
            **self.parameters.model_dump(), template_id=self.template_id, tier=self.tier
        )
        return single.order()


class BatchAccepted(CamelResponse):
    """A batch was accepted; money in USD, time in seconds."""

    job_id: str
    status: JobStatus
    total_items: int
    estimated_cost: float
    estimated_time: int
    message: str

    @classmethod
    def of(cls, created: CreatedBatch) -> Self:
        """Show the new job."""
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
    """A single conversation was accepted; it can be read under its id once it is written."""

    jobId: str  # noqa: N815 - beside conversation_id, as in the original's two styles
    conversation_id: str
    status: JobStatus
    estimated_cost: float
    estimated_time: int

    @classmethod
    def of(cls, created: CreatedBatch) -> Self:
        """Show the new job of one item."""
        job = created.job
        return cls(
            jobId=job.job_id,
            conversation_id=conversation_id(item_id(job.job_id, 1)),
            status=job.status,
            estimated_cost=created.estimated_cost,
            estimated_time=created.estimated_time,
        )
