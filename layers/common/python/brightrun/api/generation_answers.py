"""What the generation routes answer."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from brightrun.api.shapes import Answer, CamelAnswer
from brightrun.domain.ids import conversation_id, item_id
from brightrun.domain.transitions import JobStatus
from brightrun.services.create_batch import CreatedBatch


class BatchAccepted(CamelAnswer):
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


class SingleAccepted(Answer):
    """A single conversation was accepted; it can be read under its id once it is written."""

    job_id: str = Field(serialization_alias="jobId")
    conversation_id: str
    status: JobStatus
    estimated_cost: float
    estimated_time: int

    @classmethod
    def of(cls, created: CreatedBatch) -> Self:
        """Show the new job of one item."""
        job = created.job
        return cls(
            job_id=job.job_id,
            conversation_id=conversation_id(item_id(job.job_id, 1)),
            status=job.status,
            estimated_cost=created.estimated_cost,
            estimated_time=created.estimated_time,
        )
