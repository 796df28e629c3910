"""Stores conversations that come in files of the original, and enriches them like new ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from brightrun.domain import object_keys
from brightrun.domain.builtin_scaffolding import builtin_records
from brightrun.domain.conversation_record import ConversationRecord
from brightrun.domain.ids import imported_conversation_id
from brightrun.domain.imported_conversations import (
    ImportedConversation,
    Read,
    UnreadableConversation,
    read_conversations,
)
from brightrun.domain.moments import iso
from brightrun.domain.scaffolding import EmotionalArc, Tier
from brightrun.errors import InvalidInputError, NotFoundError
from brightrun.ports import Clock, ConversationRepository, ObjectStore
from brightrun.services.enrich_conversation import ConversationEnricher

MOST_BYTES = 5 * 1024 * 1024
"""Size of one document: AWS Lambda takes 6 MB in one request, the envelope included."""
_AT_ONCE = 8
_LONGEST_NAME, _LONGEST_KEY = 255, 100


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one conversation of a file; `record` is None where it was refused."""

    place: str
    record: ConversationRecord | None
    warnings: list[str]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ConversationImporter:
    """Imports files, a conversation at a time; one that cannot come in stops no other."""

    conversations: ConversationRepository
    conversation_files: ObjectStore
    enricher: ConversationEnricher
    clock: Clock

    def take(self, owner_id: str, document: Mapping[str, Any]) -> list[Imported]:
        """Store and enrich every conversation of a document.

        Raises InvalidInputError for another kind of document, for one that is too large, and when
        not one of its conversations could be stored; DuplicateKeyError when the same conversation
        is being imported twice at once; StorageError.
        """
        size = len(_written(document).encode())
        if size > MOST_BYTES:
            raise InvalidInputError(
                f"The document has {size} bytes, more than the {MOST_BYTES} that one request "
                "takes. Import it in parts.",
                details={"bytes": size, "most_bytes": MOST_BYTES},
            )
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            results = list(
                threads.map(lambda one: self._one(owner_id, one), read_conversations(document))
            )
        if not any(one.record for one in results):
            raise InvalidInputError(
                f"Not one of the document's {len(results)} conversations could be imported.",
                details=[
                    {"field": one.place, "message": one.error or "it was refused"}
                    for one in results
                ],
            )
        return results

    def _one(self, owner_id: str, read: Read) -> Imported:
        if isinstance(read, UnreadableConversation):
            return Imported(read.place, None, [], read.reason)
        record = _record(owner_id, read, iso(self.clock()))
        if self._is_there(record):
            error = f"there is a conversation with the id '{record.conversation_id}' already"
            return Imported(read.place, None, [], error)
        for path, content in (
            (record.raw_response_path, read.original),
            (record.file_path, read.document),
        ):
            self.conversation_files.put(path, _written(content), content_type="application/json")
        self.conversations.add(record)
        enriched = self.enricher.enrich(record)
        return Imported(read.place, enriched, [*read.warnings, *_found(enriched)])

    def _is_there(self, record: ConversationRecord) -> bool:
        try:
            self.conversations.conversation(record.owner_id, record.conversation_id)
        except NotFoundError:
            return False
        return True


def _record(owner_id: str, read: ImportedConversation, now: str) -> ConversationRecord:
    document = read.document
    turns = document["turns"]
    conversation_id = read.conversation_id or imported_conversation_id(owner_id, _written(document))
    name = str(document["conversation_metadata"].get("client_persona") or "Imported")
    keys = {key: value[:_LONGEST_KEY] for key, value in read.keys.items()}
    asked = {
        key: str(value)[:_LONGEST_KEY]
        for key, value in (document.get("input_parameters") or {}).items()
    }
    return ConversationRecord(
        owner_id=owner_id,
        conversation_id=conversation_id,
        conversation_name=name[:_LONGEST_NAME],
        batch_job_id="",
        item_id="",
        persona_id=asked.get("persona_id", ""),
        persona_key=keys["persona_key"],
        emotional_arc_id=asked.get("emotional_arc_id", ""),
        emotional_arc_key=keys["emotional_arc_key"],
        training_topic_id=asked.get("training_topic_id", ""),
        training_topic_key=keys["training_topic_key"],
        template_id="",
        tier=_tier(keys["emotional_arc_key"]),
        turn_count=len(turns),
        starting_emotion=_emotion(turns[0]),
        ending_emotion=_emotion(turns[-1]),
        file_path=object_keys.parsed_conversation(owner_id, conversation_id),
        file_size=len(_written(document).encode()),
        raw_response_path=object_keys.raw_response(owner_id, conversation_id),
        raw_response_size=len(_written(read.original).encode()),
        model="",
        input_tokens=0,
        output_tokens=0,
        cost_micro_usd=0,
        simulated=False,
        scaffolding_snapshot={"system_prompt": read.system_prompt, "imported_from": read.shape},
        created_at=now,
        updated_at=now,
        created_by=owner_id,
        origin="imported",
    )


def _written(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)


def _tier(arc_key: str) -> Tier:
    arcs = (arc for arc in builtin_records(EmotionalArc) if arc.key == arc_key)
    return next((arc.tier for arc in arcs), "template")


def _emotion(turn: Any) -> str:
    """The emotion of a turn; nobody has checked its shape yet."""
    context = turn.get("emotional_context") if isinstance(turn, dict) else None
    said = context.get("primary_emotion", "") if isinstance(context, dict) else ""
    return str(said)[:_LONGEST_KEY]


def _found(record: ConversationRecord) -> list[str]:
    """What the enrichment found, as sentences."""
    report = record.validation_report or {}
    issues = [*report.get("blockers", []), *report.get("warnings", [])]
    said = [f"{issue['code']} at {issue['field']}: {issue['message']}" for issue in issues]
    return [*said, *([record.enrichment_error] if record.enrichment_error else [])]
