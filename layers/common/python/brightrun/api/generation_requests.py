"""What the generation routes take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from brightrun.api.shapes import LIST, WORD, CamelRequest, Identifier, RequestModel
from brightrun.api.template_models import CombinationRequest
from brightrun.domain.batch import (
    MAX_CALLS_PER_WORKER,
    MAX_ITEMS,
    MAX_WORKERS,
    ErrorHandling,
    Priority,
)
from brightrun.domain.scaffolding import Tier
from brightrun.errors import InvalidInputError
from brightrun.services.create_batch import BatchOrder
from brightrun.services.plan_batch import ParameterSet, Selection

Keys = Annotated[list[Identifier], Field(min_length=1, max_length=1000)]
Choice = Annotated[
    Annotated[Literal["all"], Tag(WORD)] | Annotated[Keys, Tag(LIST)],
    Discriminator(lambda value: WORD if isinstance(value, str) else LIST),
]
INK = r"[^\s\x85\x00-\x1f\x7f]"
"""A character that can be seen."""
_LINE = r"[^\x00-\x1f\x7f]"
ONE_LINE = f"^{_LINE}*{INK}{_LINE}*$"
"""Text without a line break, in which something can be seen."""
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=255, pattern=ONE_LINE),
]
Workers = Annotated[int, Field(strict=True, ge=1, le=MAX_WORKERS)]
Calls = Annotated[int, Field(strict=True, ge=1, le=MAX_CALLS_PER_WORKER)]

# What `_has_one_source` checks, for those who read only the OpenAPI document.
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
        return Selection(self.personas, self.emotional_arcs, self.training_topics, self.template_id)


Sets = Annotated[list[RequestedSet], Field(min_length=1, max_length=MAX_ITEMS)]


class BatchRequest(CamelRequest):
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
    def _has_one_source(self) -> BatchRequest:
        if (self.parameter_sets is None) == (self.selection is None):
            raise ValueError("give either parameterSets or selection")
        return self

    def order(self) -> BatchOrder:
        """Say it in the service's words; raises InvalidInputError for a set without its ids."""
        return BatchOrder(
            name=self.name,
            sets=tuple(self._sets()),
            selection=self.selection.chosen() if self.selection else None,
            concurrent_processing=self.concurrent_processing,
            calls_per_worker=self.calls_per_worker,
            error_handling=self.error_handling,
            priority=self.priority,
        )

    def _sets(self) -> Iterator[ParameterSet]:
        # Shared parameters win over a set's own, as in the original.
        shared = self.shared_parameters.model_dump(exclude_none=True)
        for number, requested in enumerate(self.parameter_sets or ()):
            ids = {**requested.parameters.model_dump(), **shared}
            for name, value in ids.items():
                if value is None:
                    raise _missing(f"parameterSets.{number}.parameters.{name}")
            yield _parameter_set(ids, requested.template_id, requested.tier)


class SingleRequest(CombinationRequest):
    """POST /api/conversations/generate-with-scaffolding."""

    tier: Tier | None = None
    template_id: Identifier | None = None

    def order(self) -> BatchOrder:
        """Say it in the service's words."""
        return _batch_of_one(_parameter_set(self.model_dump(), self.template_id, self.tier))


class TemplateRequest(CamelRequest):
    """POST /api/conversations/generate: the template first, as the original's low-level route."""

    template_id: Identifier
    parameters: CombinationRequest
    tier: Tier | None = None

    def order(self) -> BatchOrder:
        """Say it in the service's words."""
        ids = self.parameters.model_dump()
        return _batch_of_one(_parameter_set(ids, self.template_id, self.tier))


def _batch_of_one(wanted: ParameterSet) -> BatchOrder:
    return BatchOrder(name="Single conversation", sets=(wanted,), concurrent_processing=1)


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
