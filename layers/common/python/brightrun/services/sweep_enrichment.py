"""Enriches what a batch's workers have left: a worker can die between storing and enriching."""

from __future__ import annotations

from dataclasses import dataclass

from brightrun.domain.batch import BatchJob
from brightrun.errors import BrightRunError
from brightrun.observability import logger
from brightrun.ports import ConversationRepository
from brightrun.services.enrich_conversation import ConversationEnricher


@dataclass(frozen=True, slots=True)
class EnrichmentSweep:
    """Looks once through the conversations of a job that has no open items."""

    conversations: ConversationRepository
    enricher: ConversationEnricher

    def sweep(self, job: BatchJob) -> int:
        """Enrich every conversation of the job that is not, and give their number.

        One that fails is logged by its code and left to a request. Raises StorageError when the
        conversations cannot be listed; running it again is safe.
        """
        done = 0
        for record in self.conversations.unenriched(job.owner_id, job.job_id, job.created_at):
            try:
                self.enricher.enrich(record)
                done += 1
            except BrightRunError as error:
                logger().warning(
                    "conversation_left_unenriched",
                    code=error.code,
                    conversation_id=record.conversation_id,
                )
        return done
