"""The stages of an enrichment, and the enriched file that it ends in, as it is read back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from brightrun.conversations.model import ConversationRecord, EnrichmentStatus
from brightrun.conversations.quality.model import UNKNOWN_DOMAIN, Domain
from brightrun.scaffolding.model import (
    Consultant,
    DomainContent,
    EmotionalArc,
    Persona,
    PromptTemplate,
    TrainingTopic,
)

Stage = Literal["fetch", "validate", "enrich", "normalize", "store"]
STAGES: tuple[Stage, ...] = ("fetch", "validate", "enrich", "normalize", "store")
PIPELINE_VERSION = "v1.0"
TO_BE_RUN: tuple[EnrichmentStatus, ...] = (
    "not_started",
    "validated",
    "enrichment_in_progress",
    "enriched",
)
"""Statuses that a sweep enriches. A conversation whose validation or normalisation failed would
fail again, unless it is edited first."""
RETRIABLE: tuple[EnrichmentStatus, ...] = ("validation_failed", "normalization_failed")
"""Statuses that v1's API calls `needs_retry`."""


class StageLog:
    """The status and times of one run's stages, as the row stores them; the first is started."""

    def __init__(self, now: Callable[[], str]) -> None:
        self._now = now
        self.stages: dict[str, dict[str, Any]] = {
            stage: {"status": "pending", "started_at": None, "completed_at": None, "error": None}
            for stage in STAGES
        }
        self.running: Stage = STAGES[0]
        self._start()

    def start(self, stage: Stage) -> None:
        """Complete the running stage, and start another."""
        self._end("completed", None)
        self.running = stage
        self._start()

    def complete(self) -> None:
        """Complete the running stage, which is the last one."""
        self._end("completed", None)

    def fail(self, error: str) -> None:
        """End the run with an error of the running stage."""
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
    """v1's names of the stages that the last run has completed."""
    names = {"validate": "validation", "enrich": "enrichment", "normalize": "normalization"}
    return [
        name
        for stage, name in names.items()
        if record.enrichment_stages.get(stage, {}).get("status") == "completed"
    ]


@dataclass(frozen=True, slots=True)
class Scaffold:
    """The scaffolding of a conversation; None for what an imported file does not state.

    `language` is the one that it was to be written in, an ISO 639-1 code.
    """

    consultant: Consultant
    system_prompt: str
    persona: Persona | None = None
    arc: EmotionalArc | None = None
    topic: TrainingTopic | None = None
    template: PromptTemplate | None = None
    language: str | None = None

    @property
    def category(self) -> str:
        """The template's category, which is the prefix of pair ids."""
        return (self.template and self.template.category) or self.subject.pack.file_prefix

    @property
    def domain(self) -> Domain:
        """What the conversation is about, by its topic, or without one by its arc or persona.

        An owner's own topic is of its domain if the consultant is, as far as the pack can tell.
        What an imported file names was looked up among the built-in records.
        """
        if self.topic is None:
            known = self.arc is not None or self.persona is not None
        else:
            consultant = self.consultant
            about = f"{consultant.name} {consultant.business} {consultant.expertise}"
            pattern = self.subject.pack.own_topic_pattern
            known = self.topic.origin != "own" or not pattern or bool(re.search(pattern, about))
        return self.subject.domain if known else UNKNOWN_DOMAIN

    @property
    def subject(self) -> DomainContent:
        """The record whose domain is the conversation's: the consultant if there is no other."""
        return self.topic or self.arc or self.persona or self.consultant


def read_enriched(text: str) -> dict[str, Any]:
    """Parse an enriched file; raises ValueError naming the first missing part."""
    enriched = json.loads(text)
    for name, kind in (
        ("dataset_metadata", dict),
        ("consultant_profile", dict),
        ("training_pairs", list),
    ):
        if not isinstance(enriched.get(name), kind) or not enriched[name]:
            raise ValueError(f"the enriched file has no {name}")
    document: dict[str, Any] = enriched
    return document
