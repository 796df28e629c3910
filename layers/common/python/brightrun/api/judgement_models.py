"""How judgements are ordered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field

from brightrun.api.generation_requests import Name, Workers
from brightrun.api.shapes import CamelAnswer, CamelRequest, Identifier
from brightrun.domain.transitions import JobStatus
from brightrun.services.order_judgements import MOST_AT_ONCE, JudgementOrder, OrderedJudgements


class JudgementRequest(CamelRequest):
    """POST /api/conversations/judge."""

    conversation_ids: Annotated[list[Identifier], Field(min_length=1, max_length=MOST_AT_ONCE)]
    model: Identifier | None = Field(
        default=None, description="Who judges, never a model that wrote one of them; None: chosen."
    )
    name: Name = "Judgement"
    concurrent_processing: Workers = 1

    def order(self) -> JudgementOrder:
        """Say it in the service's words."""
        return JudgementOrder(
            conversation_ids=tuple(self.conversation_ids),
            model=self.model,
            name=self.name,
            concurrent_processing=self.concurrent_processing,
        )


class JudgementsAccepted(CamelAnswer):
    """What is being judged; without a job, everything was judged before. Money in USD."""

    job_id: str | None
    status: JobStatus | None
    total_items: int
    model: str | None
    rubric_version: str
    already_judged: Sequence[str]
    estimated_cost: float
    message: str

    @classmethod
    def of(cls, ordered: OrderedJudgements) -> Self:
        """Show the job that was made."""
        job, skipped = ordered.job, len(ordered.already_judged)
        total = job.total_items if job else 0
        return cls(
            job_id=job.job_id if job else None,
            status=job.status if job else None,
            total_items=total,
            model=job.model if job else None,
            rubric_version=ordered.rubric_version,
            already_judged=ordered.already_judged,
            estimated_cost=ordered.estimated_cost,
            message=f"{total} conversations are being judged, {skipped} were judged before.",
        )
