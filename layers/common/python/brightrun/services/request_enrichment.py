"""Enrichment as people ask for it: of one conversation or many, and how far it came."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from brightrun.domain.conversation_record import ConversationRecord
from brightrun.domain.enrichment import completed_stages
from brightrun.errors import BrightRunError, EnrichmentFailedError, VersionConflictError
from brightrun.ports import ConversationRepository
from brightrun.services.enrich_conversation import ConversationEnricher

_TRIES = 3
"""Runs that may meet a change by somebody else before the caller is told."""
_AT_ONCE = 8
"""Runs side by side: a run waits for four AWS calls of some 20 ms, and 100 have 29 s."""


@dataclass(frozen=True, slots=True)
class Enriched:
    """What became of one conversation of many."""

    conversation_id: str
    status: Literal["enriched", "failed", "skipped"]
    enrichment_status: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class EnrichmentDesk:
    """Runs the enrichment for a caller, whatever state the conversation is in."""

    conversations: ConversationRepository
    enricher: ConversationEnricher

    def state(self, owner_id: str, conversation_id: str) -> ConversationRecord:
        """Read how far the enrichment has come; raises NotFoundError."""
        return self.conversations.conversation(owner_id, conversation_id)

    def require(self, owner_id: str, conversation_id: str) -> ConversationRecord:
        """Run all stages as `one` does; raises EnrichmentFailedError when one of them failed."""
        record = self.one(owner_id, conversation_id)
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

    def one(self, owner_id: str, conversation_id: str) -> ConversationRecord:
        """Run all stages, again if they have been run; a failure of a stage is on the row.

        Raises NotFoundError, and VersionConflictError when others keep changing the row.
        """
        for _ in range(_TRIES - 1):
            try:
                return self._run(owner_id, conversation_id)
            except VersionConflictError:
                continue
        return self._run(owner_id, conversation_id)

    def many(
        self, owner_id: str, conversation_ids: Sequence[str], *, at_once: int = _AT_ONCE
    ) -> list[Enriched]:
        """Run those that are not completed, some at once; a failure stops nothing."""
        with ThreadPoolExecutor(at_once) as threads:
            return list(
                threads.map(
                    lambda one: self._one_of_many(owner_id, one), dict.fromkeys(conversation_ids)
                )
            )

    def _run(self, owner_id: str, conversation_id: str) -> ConversationRecord:
        return self.enricher.enrich(self.conversations.conversation(owner_id, conversation_id))

    def _one_of_many(self, owner_id: str, conversation_id: str) -> Enriched:
        try:
            record = self.conversations.conversation(owner_id, conversation_id)
            if record.enrichment_status == "completed":
                return Enriched(conversation_id, "skipped", "completed")
            record = self.one(owner_id, conversation_id)
        except BrightRunError as error:
            return Enriched(conversation_id, "failed", error=error.message)
        completed = record.enrichment_status == "completed"
        return Enriched(
            conversation_id,
            "enriched" if completed else "failed",
            record.enrichment_status,
            record.enrichment_error,
        )
