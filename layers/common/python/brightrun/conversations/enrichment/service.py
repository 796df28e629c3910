"""Turns stored conversations into training pairs: fetch, validate, enrich, normalise, store.

A run happens in memory and ends in one object and one write of the row, which states the version it
was made from. A run that dies on the way has written nothing, so nothing is ever left in progress:
it is simply run again.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from brightrun.aws.objects import ObjectStore
from brightrun.conversations.emotions import DeclaredArc, declared_arc
from brightrun.conversations.enrichment.model import (
    PIPELINE_VERSION,
    Scaffold,
    Stage,
    StageLog,
    completed_stages,
    enriched_document,
    read_enriched,
)
from brightrun.conversations.enrichment.validation import Validation, validate
from brightrun.conversations.model import ConversationRecord, EnrichmentStatus
from brightrun.conversations.quality.safety import CRISIS_CONTENT, has_crisis_content
from brightrun.conversations.quality.score import Quality, score_quality
from brightrun.conversations.quality.transcript import Transcript
from brightrun.conversations.repository import ConversationRepository
from brightrun.core import object_keys
from brightrun.core.errors import (
    BrightRunError,
    EnrichmentFailedError,
    NotFoundError,
    StorageError,
    VersionConflictError,
)
from brightrun.core.timestamps import Clock, iso

_FAILED_IN: Mapping[Stage, EnrichmentStatus] = {
    "validate": "validation_failed",
    "enrich": "validated",
    "normalize": "normalization_failed",
    "store": "enriched",
}
"""What a row says when a stage has failed; a failed fetch tells nothing about the conversation."""
_FAULTS = (StorageError, NotFoundError, LookupError, TypeError, ValueError, AttributeError)


class ScaffoldingResolver(Protocol):
    """Finds the scaffolding that a conversation was made from."""

    def of(self, record: ConversationRecord) -> Scaffold:
        """Give the scaffolding as it was when the conversation was planned; raises StorageError."""


@dataclass(frozen=True, slots=True)
class ConversationEnricher:
    """Runs the stages, and records how far they came."""

    conversations: ConversationRepository
    conversation_files: ObjectStore
    scaffolds: ScaffoldingResolver
    clock: Clock

    def enrich(self, record: ConversationRecord) -> ConversationRecord:
        """Run all stages on a row as it was read, and give the row as it then is.

        A failure of a stage is recorded on the row. Raises VersionConflictError when somebody has
        changed the row meanwhile, NotFoundError when it is gone, StorageError when it cannot be
        written; the row is then as it was.
        """
        return self.conversations.replace(self._run(record), record.version)

    def _run(self, record: ConversationRecord) -> ConversationRecord:
        log = StageLog(self._now)
        run = _Run(record, log)
        try:
            self._stages(run)
        except _FAULTS as error:
            run.failed(_sentence(error))
        return dataclasses.replace(
            record, **run.result, enrichment_stages=log.stages, updated_at=self._now()
        )

    def _stages(self, run: _Run) -> None:
        record, log = run.record, run.log
        text = self._fetched(record)
        scaffold = self.scaffolds.of(record)
        log.start("validate")
        arc = declared_arc(scaffold.arc)
        validation = validate(text, arc)
        run.validated(validation, validation.report(record.conversation_id, self._now()))
        if validation.blockers or validation.document is None:
            run.failed(f"Validation found {len(validation.blockers)} blockers.")
            return
        log.start("enrich")
        quality = _quality(validation.document, scaffold, arc)
        run.scored(quality)
        enriched = enriched_document(
            validation.document,
            scaffold,
            quality,
            conversation_id=record.conversation_id,
            created_at=record.created_at,
        )
        log.start("normalize")
        body = json.dumps(enriched, ensure_ascii=False, indent=2, allow_nan=False)
        read_enriched(body)
        log.start("store")
        path = object_keys.enriched_conversation(record.owner_id, record.conversation_id)
        size = self.conversation_files.put(path, body, content_type="application/json")
        log.complete()
        run.stored(path, size, self._now())

    def _fetched(self, record: ConversationRecord) -> str:
        for path in (record.file_path, record.raw_response_path):
            if path and (stored := self.conversation_files.get(path)):
                return stored.text
        raise NotFoundError("conversation file", record.conversation_id)

    def _now(self) -> str:
        return iso(self.clock())


class _Run:
    """What one run has found out so far, as the fields of the row that it will change."""

    def __init__(self, record: ConversationRecord, log: StageLog) -> None:
        self.record = record
        self.log = log
        self.result: dict[str, Any] = {"enrichment_error": None}

    def validated(self, validation: Validation, report: dict[str, Any]) -> None:
        """Keep the report; what an earlier run has made of the conversation is void."""
        flags = validation.flags
        if has_crisis_content(_texts(validation.document)):
            flags = sorted([*flags, CRISIS_CONTENT])
        self.result |= {
            "validation_report": report,
            "flags": flags,
            "enriched_file_path": None,
            "enriched_file_size": None,
            "enriched_at": None,
            "quality_score": None,
            "quality_tier": None,
            "quality_reasons": [],
            "quality_criteria": {},
        }

    def scored(self, quality: Quality) -> None:
        """Keep the score and its reasons."""
        self.result |= {
            "quality_score": quality.score,
            "quality_tier": quality.tier,
            "quality_reasons": quality.reasons,
            "quality_criteria": quality.criteria,
        }

    def stored(self, path: str, size: int, now: str) -> None:
        """Keep where the enriched file is."""
        self.result |= {
            "enrichment_status": "completed",
            "enrichment_version": PIPELINE_VERSION,
            "enriched_file_path": path,
            "enriched_file_size": size,
            "enriched_at": now,
        }

    def failed(self, error: str) -> None:
        """Keep why the running stage has failed."""
        self.result["enrichment_error"] = error
        if status := _FAILED_IN.get(self.log.running):
            self.result["enrichment_status"] = status
        self.log.fail(error)


def _quality(document: dict[str, Any], scaffold: Scaffold, arc: DeclaredArc | None) -> Quality:
    return score_quality(
        Transcript(document["turns"]),
        arc,
        arc_key=scaffold.arc.arc_key if scaffold.arc else None,
        key_concepts=scaffold.topic.key_concepts if scaffold.topic else (),
    )


def _texts(document: dict[str, Any] | None) -> list[str]:
    turns = (document or {}).get("turns")
    if not isinstance(turns, list):
        return []
    return [str(turn.get("content")) for turn in turns if isinstance(turn, dict)]


def _sentence(error: Exception) -> str:
    if isinstance(error, StorageError | NotFoundError):
        return error.message
    return f"The stage failed: {type(error).__name__}."


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
class EnrichmentService:
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
