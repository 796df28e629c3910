"""Enriches conversations to training pairs: fetch, validate, enrich, normalise, store.

A run works in memory and ends with writing one object. Its results are part of a new conversation's
first row; of a stored one they are written on condition that the row has not changed. A run that is
interrupted has written nothing, and is simply repeated.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from brightrun.aws.objects import ObjectStore, discarded_if_lost
from brightrun.conversations.emotions import DeclaredArc, declared_arc
from brightrun.conversations.enrichment.document import enriched_document
from brightrun.conversations.enrichment.model import (
    PIPELINE_VERSION,
    Scaffold,
    Stage,
    StageLog,
    read_enriched,
)
from brightrun.conversations.enrichment.validation import Validation, validate
from brightrun.conversations.model import ConversationRecord, EnrichmentStatus
from brightrun.conversations.quality.flags import turn_flags
from brightrun.conversations.quality.model import HIGHEST_SCORE, Quality, TurnFlag
from brightrun.conversations.quality.score import score_quality
from brightrun.conversations.quality.transcript import Transcript
from brightrun.conversations.repository import ConversationRepository, keys_in_use
from brightrun.core import object_keys
from brightrun.core.errors import (
    NotFoundError,
    StorageError,
)
from brightrun.core.ids import new_attempt
from brightrun.core.json_text import indented
from brightrun.core.timestamps import Clock, iso

_FAILED_IN: Mapping[Stage, EnrichmentStatus] = {
    "validate": "validation_failed",
    "enrich": "validated",
    "normalize": "normalization_failed",
    "store": "enriched",
}
"""The status after a failed stage; a failed fetch leaves the status as it was."""
_MOST_FLAGS = 50
"""Most flags with their turns, which are part of a row of at most 400 KB; the worst come first."""
_STAGE_ERRORS = (StorageError, NotFoundError, LookupError, TypeError, ValueError, AttributeError)


class ScaffoldingResolver(Protocol):
    """Finds the scaffolding of a conversation. `batches.plan`, which is above this package, has the
    implementation."""

    def resolve(self, record: ConversationRecord) -> Scaffold:
        """Return the scaffolding that the conversation was planned with; raises StorageError."""

    def snapshot(self, record: ConversationRecord) -> dict[str, Any]:
        """That scaffolding in v1's format, empty if it is gone; raises StorageError."""


@dataclass(frozen=True, slots=True)
class ConversationEnricher:
    """Runs the stages, and records their outcome on the row."""

    conversations: ConversationRepository
    conversation_files: ObjectStore
    scaffolds: ScaffoldingResolver
    clock: Clock
    new_attempt: Callable[[], str] = new_attempt

    def enrich(self, record: ConversationRecord) -> ConversationRecord:
        """Run all stages, and return the updated row; a failure of a stage is recorded on it.

        Raises VersionConflictError if the row changed since it was read, NotFoundError if it was
        deleted, and StorageError if it cannot be written; the row then stays as it was.
        """
        after = self._run(record, self._fetch)
        new = after.object_keys() - record.object_keys()
        in_use = partial(keys_in_use, self.conversations, record.owner_id, record.conversation_id)
        with discarded_if_lost(self.conversation_files, in_use, *new):
            return self.conversations.replace(after, record.version)

    def enriched(self, record: ConversationRecord, text: str) -> ConversationRecord:
        """Run all stages on a conversation whose row is not written yet, and return that row.

        `text` is its conversation.json. A failure of a stage is recorded on the row. The caller
        removes the enriched file if the row is not written after all.
        """
        return self._run(record, lambda _: text)

    def _run(
        self, record: ConversationRecord, fetch: Callable[[ConversationRecord], str]
    ) -> ConversationRecord:
        log = StageLog(self._now)
        run = _Run(record, log)
        try:
            self._stages(run, fetch)
        except _STAGE_ERRORS as error:
            run.fail(_message(error))
        return dataclasses.replace(
            record, **run.result, enrichment_stages=log.stages, updated_at=self._now()
        )

    def _stages(self, run: _Run, fetch: Callable[[ConversationRecord], str]) -> None:
        record, log = run.record, run.log
        text = fetch(record)
        scaffold = self.scaffolds.resolve(record)
        log.start("validate")
        arc = declared_arc(scaffold.arc)
        validation = validate(text, arc)
        flags = _flags(validation, scaffold.language)
        report = validation.report(record.conversation_id, self._now())
        run.set_validation(report, flags)
        if validation.blockers or validation.document is None:
            run.fail(f"Validation found {len(validation.blockers)} blockers.")
            return
        log.start("enrich")
        quality = _quality(validation.document, scaffold, arc, flags)
        run.set_quality(quality)
        enriched = enriched_document(
            validation.document,
            scaffold,
            quality,
            conversation_id=record.conversation_id,
            created_at=record.created_at,
        )
        log.start("normalize")
        body = indented(enriched)
        read_enriched(body)
        log.start("store")
        path = object_keys.enriched_conversation(
            record.owner_id, record.conversation_id, self.new_attempt()
        )
        size = self.conversation_files.put(path, body, content_type="application/json")
        log.complete()
        run.set_enriched_file(path, size, self._now())

    def _fetch(self, record: ConversationRecord) -> str:
        for path in (record.file_path, record.raw_response_path):
            if path and (stored := self.conversation_files.get(path)):
                return stored.text
        raise NotFoundError("conversation file", record.conversation_id)

    def _now(self) -> str:
        return iso(self.clock())


class _Run:
    """The results of one run so far, as fields of the row."""

    def __init__(self, record: ConversationRecord, log: StageLog) -> None:
        self.record = record
        self.log = log
        self.result: dict[str, Any] = {"enrichment_error": None}

    def set_validation(self, report: dict[str, Any], flags: Sequence[TurnFlag]) -> None:
        """Set the report and flags, and clear the results of an earlier run."""
        self.result |= {
            "validation_report": report,
            "flags": sorted({flag.code for flag in flags}),
            "flag_details": [flag.as_row() for flag in flags[:_MOST_FLAGS]],
            "enriched_file_path": None,
            "enriched_file_size": None,
            "enriched_at": None,
            "quality_score": None,
            "quality_tier": None,
            "quality_reasons": [],
            "quality_criteria": {},
        }

    def set_quality(self, quality: Quality) -> None:
        """Set the score and its reasons."""
        self.result |= {
            "quality_score": quality.score,
            "quality_tier": quality.tier,
            "quality_reasons": quality.reasons,
            "quality_criteria": quality.criteria,
        }

    def set_enriched_file(self, path: str, size: int, now: str) -> None:
        """Set the location of the enriched file."""
        self.result |= {
            "enrichment_status": "completed",
            "enrichment_version": PIPELINE_VERSION,
            "enriched_file_path": path,
            "enriched_file_size": size,
            "enriched_at": now,
        }

    def fail(self, error: str) -> None:
        """Set the error of the running stage."""
        self.result["enrichment_error"] = error
        if status := _FAILED_IN.get(self.log.running):
            self.result["enrichment_status"] = status
        self.log.fail(error)


def _flags(validation: Validation, language: str | None) -> list[TurnFlag]:
    """The flags of a conversation, also of one that cannot be enriched: the worst ones first."""
    turns = (validation.document or {}).get("turns")
    found = [*validation.flags, *(turn_flags(turns, language) if isinstance(turns, list) else ())]
    return sorted(found, key=lambda flag: (HIGHEST_SCORE[flag.severity], flag.turn_number))


def _quality(
    document: dict[str, Any], scaffold: Scaffold, arc: DeclaredArc | None, flags: list[TurnFlag]
) -> Quality:
    return score_quality(
        Transcript(document["turns"], scaffold.language),
        arc,
        arc_key=scaffold.arc.arc_key if scaffold.arc else None,
        key_concepts=scaffold.topic.key_concepts if scaffold.topic else (),
        domain=scaffold.domain,
        flags=flags,
    )


def _message(error: Exception) -> str:
    if isinstance(error, StorageError | NotFoundError):
        return error.message
    return f"The stage failed: {type(error).__name__}."
