"""Enriches conversations on request: one or many, and again after a failure."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from brightrun.conversations.enrichment.model import (
    completed_stages,
)
from brightrun.conversations.model import ConversationRecord
from brightrun.conversations.repository import ConversationRepository
from brightrun.core.errors import (
    BrightRunError,
    EnrichmentFailedError,
    VersionConflictError,
)

if TYPE_CHECKING:
    from brightrun.conversations.enrichment.pipeline import ConversationEnricher

_TRIES = 3
"""Attempts before a conflict with concurrent changes is raised."""
_CONCURRENCY = 8
"""Concurrent runs: each waits for four AWS calls of about 20 ms, and 100 must end within 29 s."""


@dataclass(frozen=True, slots=True)
class EnrichmentResult:
    """The result of one conversation of many."""

    conversation_id: str
    status: Literal["enriched", "failed", "skipped"]
    enrichment_status: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class EnrichmentService:
    """Enriches conversations on request."""

    conversations: ConversationRepository
    enricher: ConversationEnricher

    def get(self, owner_id: str, conversation_id: str) -> ConversationRecord:
        """Read a conversation's row; raises NotFoundError."""
        return self.conversations.conversation(owner_id, conversation_id)

    def enrich_or_raise(self, owner_id: str, conversation_id: str) -> ConversationRecord:
        """Run all stages as `enrich` does; raises EnrichmentFailedError if one of them failed."""
        record = self.enrich(owner_id, conversation_id)
        if record.enrichment_error is not None:
            raise EnrichmentFailedError(
                f"The enrichment of '{conversation_id}' failed: {record.enrichment_error}",
                details={
                    "conversation_id": conversation_id,
                    "final_status": record.enrichment_status,
                    "stages_completed": completed_stages(record),
                    "validation_report": record.validation_report,
                },
            )
        return record

    def enrich(self, owner_id: str, conversation_id: str) -> ConversationRecord:
        """Run all stages, even if they were run before; a failed stage is recorded on the row.

        Raises NotFoundError, and VersionConflictError if the row keeps changing meanwhile.
        """
        for _ in range(_TRIES - 1):
            try:
                return self._run(owner_id, conversation_id)
            except VersionConflictError:
                continue
        return self._run(owner_id, conversation_id)

    def enrich_many(
        self, owner_id: str, conversation_ids: Sequence[str], *, concurrency: int = _CONCURRENCY
    ) -> list[EnrichmentResult]:
        """Enrich those that are not enriched, concurrently; a failure affects no others."""
        with ThreadPoolExecutor(concurrency) as threads:
            return list(
                threads.map(
                    lambda one: self._one_of_many(owner_id, one), dict.fromkeys(conversation_ids)
                )
            )

    def _run(self, owner_id: str, conversation_id: str) -> ConversationRecord:
        return self.enricher.enrich(self.conversations.conversation(owner_id, conversation_id))

    def _one_of_many(self, owner_id: str, conversation_id: str) -> EnrichmentResult:
        try:
            record = self.conversations.conversation(owner_id, conversation_id)
            if record.enrichment_status == "completed":
                return EnrichmentResult(conversation_id, "skipped", "completed")
            record = self.enrich(owner_id, conversation_id)
        except BrightRunError as error:
            return EnrichmentResult(conversation_id, "failed", error=error.message)
        completed = record.enrichment_status == "completed"
        return EnrichmentResult(
            conversation_id,
            "enriched" if completed else "failed",
            record.enrichment_status,
            record.enrichment_error,
        )
