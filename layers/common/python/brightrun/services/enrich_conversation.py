"""Turns a stored conversation into training pairs: fetch, validate, enrich, normalise, store.

A run happens in memory and ends in one object and one write of the row, which states the version it
was made from. A run that dies on the way has written nothing, so nothing is ever left in progress:
it is simply run again.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from brightrun.domain import object_keys
from brightrun.domain.conversation_record import ConversationRecord, EnrichmentStatus
from brightrun.domain.declared_arc import DeclaredArc, declared_arc
from brightrun.domain.enriched_document import Scaffold, enriched_document, read_enriched
from brightrun.domain.enrichment import VERSION, Stage, StageLog
from brightrun.domain.enrichment_validation import Validation, validate
from brightrun.domain.moments import iso
from brightrun.domain.quality import Quality, score_quality
from brightrun.domain.safety import CRISIS_CONTENT, has_crisis_content
from brightrun.domain.talk import Talk
from brightrun.errors import NotFoundError, StorageError
from brightrun.ports import Clock, ConversationWrites, ObjectStore

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

    conversations: ConversationWrites
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
        log.go_on("validate")
        arc = declared_arc(scaffold.arc)
        validation = validate(text, arc)
        run.validated(validation, validation.report(record.conversation_id, self._now()))
        if validation.blockers or validation.document is None:
            run.failed(f"Validation found {len(validation.blockers)} blockers.")
            return
        log.go_on("enrich")
        quality = _quality(validation.document, scaffold, arc)
        run.scored(quality)
        enriched = enriched_document(
            validation.document,
            scaffold,
            quality,
            conversation_id=record.conversation_id,
            created_at=record.created_at,
        )
        log.go_on("normalize")
        body = json.dumps(enriched, ensure_ascii=False, indent=2, allow_nan=False)
        read_enriched(body)
        log.go_on("store")
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
            "enrichment_version": VERSION,
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
        Talk(document["turns"]),
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
