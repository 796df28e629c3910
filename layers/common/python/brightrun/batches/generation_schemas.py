"""Requests and responses of the routes that create batch jobs: generation and judgement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from brightrun.batches.create_batch import BatchPreview, BatchRequest, CreatedBatch
from brightrun.batches.create_judgements import (
    MAX_CONVERSATIONS,
    CreatedJudgements,
    JudgementRequest,
)
from brightrun.batches.deadline_schemas import DeadlineView, Timestamp
from brightrun.batches.model import (
    MAX_CALLS,
    MAX_CALLS_PER_WORKER,
    MAX_ITEMS,
    MAX_WORKERS,
    ErrorHandling,
    JobStatus,
    Lane,
    Priority,
)
from brightrun.batches.planner import MAX_SAMPLE, ParameterSet, Selection
from brightrun.batches.schemas import MaxCostUsd, QuoteAccuracyView, QuoteView, TotalItems
from brightrun.core.errors import InvalidInputError
from brightrun.core.fields import Tier
from brightrun.core.ids import conversation_id, item_id
from brightrun.http.problems import CodedFault
from brightrun.http.schemas import (
    LIST,
    WORD,
    CamelNestedModel,
    CamelRequest,
    CamelResponseModel,
    Identifier,
    Name,
    NestedModel,
    RequestModel,
    ResponseModel,
)
from brightrun.scaffolding.combination_schemas import CombinationRequest, SettingRequest

if TYPE_CHECKING:
    pass


Keys = Annotated[list[Identifier], Field(min_length=1, max_length=1000)]
Choice = Annotated[
    Annotated[Literal["all"], Tag(WORD)] | Annotated[Keys, Tag(LIST)],
    Discriminator(lambda value: WORD if isinstance(value, str) else LIST),
]
MAX_EXCLUDED = 1000
"""Combinations that a selection can leave out: several samples."""
_MOST_LISTED = 100
"""Entries of each list of a preview."""
Workers = Annotated[int, Field(strict=True, ge=1, le=MAX_WORKERS)]
Calls = Annotated[int, Field(strict=True, ge=1, le=MAX_CALLS_PER_WORKER)]
AllCalls = Annotated[int, Field(strict=True, ge=1, le=MAX_CALLS)]
# What `_has_one_source` checks, for the OpenAPI document. It is a condition, since generators of
# clients make a type of each branch of a oneOf.
_ONE_SOURCE: dict[str, Any] = {
    "if": {"required": ["parameterSets"], "properties": {"parameterSets": {"type": "array"}}},
    "then": {"properties": {"selection": {"type": "null"}}},
    "else": {"required": ["selection"], "properties": {"selection": {"type": "object"}}},
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
    """Every combination of personas, arcs and topics but `exclude`, or a sample of them."""

    personas: Choice
    emotional_arcs: Choice
    training_topics: Choice
    template_id: Identifier | None = None
    exclude: Annotated[list[CombinationRequest], Field(max_length=MAX_EXCLUDED)] = Field(
        default_factory=list, description="Combinations to leave out, such as those of a sample."
    )
    sample: Annotated[int, Field(strict=True, ge=1, le=MAX_SAMPLE)] | None = Field(
        default=None,
        description="Only so many combinations, spread over personas, arcs and topics; the same "
        "request always gives the same ones.",
    )

    def to_selection(self) -> Selection:
        """Convert to the planner's selection."""
        return Selection(
            self.personas,
            self.emotional_arcs,
            self.training_topics,
            template=self.template_id,
            exclude=tuple(
                (one.persona_id, one.emotional_arc_id, one.training_topic_id)
                for one in self.exclude
            ),
            sample=self.sample,
        )


Sets = Annotated[list[RequestedSet], Field(min_length=1, max_length=MAX_ITEMS)]


class BatchBody(SettingRequest, CamelRequest):
    """POST /api/conversations/generate-batch: parameter sets, or a selection."""

    name: Name
    parameter_sets: Sets | None = None
    selection: RequestedSelection | None = None
    shared_parameters: SetParameters = SetParameters()
    calls_in_flight: AllCalls | None = Field(
        default=None,
        description="Calls to Claude at the same time, of the whole batch, at the most: while "
        "Claude refuses some, fewer. It takes precedence over the next two.",
    )
    concurrent_processing: Workers = Field(
        default=3, description="As in v1: workers, each with up to 25 calls in flight."
    )
    calls_per_worker: Calls | None = Field(
        default=None, description="Calls a worker keeps in flight; None: as many as it can."
    )
    error_handling: ErrorHandling = "continue"
    priority: Priority = "normal"
    max_cost_usd: MaxCostUsd | None = Field(
        default=None,
        description="The most that the batch may spend, in US dollars. What it does not pay for "
        "remains, and is written when the batch is resumed with a higher one.",
    )
    reuse: bool = Field(
        default=False,
        strict=True,
        description="Take answers that the caller's batches of the last 30 days paid for, where "
        "model, prompt, schema and parameters are the same: they cost nothing again.",
    )

    lane: Lane | None = Field(
        default=None,
        description="`economy`: in Message Batches, at half the price; most end within an hour, "
        "all within a day. How many calls are made at once is then no question. None: `realtime`.",
    )
    done_by: Timestamp | None = Field(
        default=None,
        description="When the batch is to be done, with its time zone, within 30 days; instead of "
        "`lane`. Written in realtime if the economy lane could be late, else there, and what it "
        "has not answered in time goes over to realtime.",
    )

    model_config = {"json_schema_extra": _ONE_SOURCE}

    @model_validator(mode="after")
    def _has_one_source(self) -> BatchBody:
        if (self.parameter_sets is None) == (self.selection is None):
            raise ValueError("give either parameterSets or selection")
        return self

    @model_validator(mode="after")
    def _has_one_pace(self) -> BatchBody:
        if self.done_by is not None and self.lane is not None:
            raise ValueError("give either lane or doneBy: the lane follows from the time")
        return self

    def to_request(self) -> BatchRequest:
        """Convert to the service's request; raises InvalidInputError for a set without its ids."""
        return BatchRequest(
            name=self.name,
            sets=tuple(self._sets()),
            selection=self.selection.to_selection() if self.selection else None,
            concurrent_processing=self.concurrent_processing,
            calls_per_worker=self.calls_per_worker,
            calls_in_flight=self.calls_in_flight,
            max_cost_usd=self.max_cost_usd,
            error_handling=self.error_handling,
            priority=self.priority,
            domain=self.domain,
            language=self.language,
            reuse=self.reuse,
            lane=self.lane or "realtime",
            done_by=self.done_by,
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


class SingleBody(SettingRequest, CombinationRequest):
    """POST /api/conversations/generate-with-scaffolding."""

    tier: Tier | None = None
    template_id: Identifier | None = None

    def to_request(self) -> BatchRequest:
        """Convert to the service's request."""
        parameters = _parameter_set(self.model_dump(), self.template_id, self.tier)
        return _single_batch(parameters, self.domain, self.language)


class TemplateBody(SettingRequest, CamelRequest):
    """POST /api/conversations/generate: by template, like v1's low-level route."""

    template_id: Identifier
    parameters: CombinationRequest
    tier: Tier | None = None

    def to_request(self) -> BatchRequest:
        """Convert to the service's request."""
        ids = self.parameters.model_dump()
        parameters = _parameter_set(ids, self.template_id, self.tier)
        return _single_batch(parameters, self.domain, self.language)


def _single_batch(parameters: ParameterSet, domain: str, language: str) -> BatchRequest:
    return BatchRequest(
        name="Single conversation",
        sets=(parameters,),
        concurrent_processing=1,
        domain=domain,
        language=language,
    )


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
    total_items: TotalItems
    estimated_cost: float
    estimated_time: int
    message: str

    @classmethod
    def from_domain(cls, created: CreatedBatch) -> Self:
        """Show a created job."""
        job, deadline = created.job, created.deadline
        return cls(
            job_id=job.job_id,
            status=job.status,
            total_items=job.total_items,
            estimated_cost=created.estimated_cost,
            estimated_time=created.estimated_time,
            message=" ".join(
                filter(
                    None,
                    (
                        f"Batch of {job.total_items} conversations accepted.",
                        created.model_notice,
                        created.repetition_notice,
                        deadline.reason if deadline else None,
                        deadline.notice if deadline else None,
                    ),
                )
            ),
        )


class PlannedItemView(NestedModel):
    """One conversation of a plan; `template_id` is that of the chosen or selected template."""

    position: int
    persona_key: str
    emotional_arc_key: str
    training_topic_key: str
    template_id: str
    tier: Tier


class IncompatibleItem(PlannedItemView):
    """A conversation whose records do not fit together, and why; it can still be generated."""

    confidence: float
    warnings: tuple[str, ...]


class WarningCount(NestedModel):
    """What does not fit, and in how many conversations."""

    warning: str
    conversations: int


class QuantilesView(NestedModel):
    """The median, and what nine of ten batches stay within."""

    p50: float
    p90: float


class LaneQuoteView(CamelNestedModel):
    """What the batch would cost in USD and take in seconds in a lane.

    In the economy lane p90 of the time is the limit of a day, since no percentile is published.
    """

    lane: Lane
    estimated_cost: QuoteView = Field(validation_alias="cost")
    estimated_time: QuantilesView = Field(validation_alias="seconds")
    unavailable: str | None = Field(description="Why it cannot be ordered; null: it can.")


class BatchPreviewResponse(CamelResponseModel):
    """What a batch would be; nothing is stored.

    `requestedItems` counts the conversations asked for, `totalItems` those that can be generated.
    `modelNotice` says that the model retires soon, and what follows it; `repetitionNotice` that
    the plan is small for its conversations: some combinations are written more than once.
    `deadline` tells how an order with `doneBy` is to be done in time; where it may change lanes,
    p50 of `estimatedCost` and `estimatedTime` is the economy lane's, and p90 that of realtime.
    `pastQuotes` compares the quotes of the caller's newest batches with what they cost.
    `problems` lists everything that generate-batch refuses the request for. The lists hold at most
    100 entries; `incompatibleItems` and `problemCount` count all. Cost in USD, time in seconds, as
    far as the items can be generated.
    """

    requested_items: int
    total_items: int
    personas: int
    emotional_arcs: int
    training_topics: int
    templates: int
    model: str
    model_notice: str | None
    repetition_notice: str | None
    lane: Lane
    estimated_cost: QuoteView
    past_quotes: list[QuoteAccuracyView]
    estimated_time: QuantilesView
    deadline: DeadlineView | None
    lanes: list[LaneQuoteView] = Field(description="The same for each lane.")
    items: list[PlannedItemView]
    incompatible_items: int
    incompatible: list[IncompatibleItem]
    warnings: list[WarningCount]
    problem_count: int
    problems: list[CodedFault]

    @classmethod
    def from_domain(cls, preview: BatchPreview) -> Self:
        """Show a preview."""
        planned, plan = preview.planned, preview.planned.plan
        rated = list(planned.compatibility())
        incompatible = [(item, advice) for item, advice in rated if not advice.is_compatible]
        warnings = Counter(warning for _, advice in rated for warning in advice.warnings)
        return cls(
            requested_items=preview.requested,
            total_items=len(planned.items),
            personas=len(plan.personas),
            emotional_arcs=len(plan.emotional_arcs),
            training_topics=len(plan.training_topics),
            templates=len(plan.templates),
            model=plan.model,
            model_notice=preview.model_notice,
            repetition_notice=planned.repetition_notice,
            lane=preview.lane,
            estimated_cost=preview.quote.cost,
            past_quotes=list(preview.past_quotes),
            estimated_time=preview.quote.seconds,
            deadline=preview.deadline,
            lanes=preview.quotes,
            items=planned.items[:_MOST_LISTED],
            incompatible_items=len(incompatible),
            incompatible=[
                IncompatibleItem(
                    **PlannedItemView.model_validate(item).model_dump(),
                    confidence=advice.confidence,
                    warnings=advice.warnings,
                )
                for item, advice in incompatible[:_MOST_LISTED]
            ],
            warnings=[
                WarningCount(warning=warning, conversations=count)
                for warning, count in warnings.most_common(_MOST_LISTED)
            ],
            problem_count=len(planned.faults),
            problems=[
                CodedFault(field=fault.subject, message=fault.message, code=fault.code)
                for fault in planned.faults[:_MOST_LISTED]
            ],
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
    total_items: TotalItems
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
