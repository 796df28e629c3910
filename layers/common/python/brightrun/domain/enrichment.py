"""The five stages of the enrichment of a conversation, and what a run of them leaves on its row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from brightrun.domain.conversation_record import ConversationRecord, EnrichmentStatus

Stage = Literal["fetch", "validate", "enrich", "normalize", "store"]
STAGES: tuple[Stage, ...] = ("fetch", "validate", "enrich", "normalize", "store")
VERSION = "v1.0"

TO_BE_RUN: tuple[EnrichmentStatus, ...] = (
    "not_started",
    "validated",
    "enrichment_in_progress",
    "enriched",
)
"""Where a run may go further by itself. A conversation whose validation or normalisation failed
fails again until somebody has edited it."""

RETRIABLE: tuple[EnrichmentStatus, ...] = ("validation_failed", "normalization_failed")
"""What the original calls `needs_retry`."""


class StageLog:
    """The states and times of one run's stages, as the row keeps them; the first has begun."""

    def __init__(self, now: Callable[[], str]) -> None:
        self._now = now
        self.stages: dict[str, dict[str, Any]] = {
            stage: {"status": "pending", "started_at": None, "completed_at": None, "error": None}
            for stage in STAGES
        }
        self.running: Stage = STAGES[0]
        self._start()

    def go_on(self, stage: Stage) -> None:
        """Close the stage that is running, and start another."""
        self._end("completed", None)
        self.running = stage
        self._start()

    def complete(self) -> None:
        """End the run with the last stage."""
        self._end("completed", None)

    def fail(self, error: str) -> None:
        """End the run at the stage that is running."""
        self._end("failed", error)

    def _start(self) -> None:
        self.stages[self.running] |= {"status": "in_progress", "started_at": self._now()}

    def _end(self, status: str, error: str | None) -> None:
        self.stages[self.running] |= {
            "status": status,
            "completed_at": self._now(),
            "error": error,
        }


def completed_stages(record: ConversationRecord) -> list[str]:
    """The original's names of the stages that the last run has completed."""
    names = {"validate": "validation", "enrich": "enrichment", "normalize": "normalization"}
    return [
        name
        for stage, name in names.items()
        if record.enrichment_stages.get(stage, {}).get("status") == "completed"
    ]
