"""Imports conversations from v1's raw, enriched and training.json files.

The source of each is stored too, since it holds more than the conversation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from brightrun.aws.objects import ObjectStore, discarded_if_lost
from brightrun.conversations.imported_documents import (
    ImportedConversation,
    UnreadableConversation,
    read_conversations,
)
from brightrun.conversations.model import ConversationRecord
from brightrun.conversations.repository import ConversationRepository, keys_in_use
from brightrun.core import object_keys
from brightrun.core.errors import DuplicateKeyError, InvalidInputError, NotFoundError
from brightrun.core.ids import imported_conversation_id, new_attempt
from brightrun.core.text import in_one_line
from brightrun.core.timestamps import Clock, iso
from brightrun.scaffolding.catalog import ScaffoldingCatalog

if TYPE_CHECKING:
    from brightrun.conversations.enrichment.pipeline import ConversationEnricher

MOST_BYTES = 5 * 1024 * 1024
"""Size of one document: AWS Lambda accepts requests of 6 MB, including the envelope."""
_Row = UnreadableConversation | tuple[ImportedConversation, ConversationRecord]
_CONCURRENCY = 8
_LONGEST_NAME, _LONGEST_KEY = 255, 100


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The result of one conversation of a file; `record` is None if it was rejected.

    `code` names why, for machines: a code of docs/dataset-codes.md, or already_imported.
    """

    place: str
    record: ConversationRecord | None
    warnings: list[str]
    error: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class ConversationImporter:
    """Imports files; a conversation that is rejected does not affect the others."""

    conversations: ConversationRepository
    conversation_files: ObjectStore
    enricher: ConversationEnricher
    catalog: Callable[[], ScaffoldingCatalog]
    clock: Clock
    new_attempt: Callable[[], str] = new_attempt

    def import_document(self, owner_id: str, document: Mapping[str, Any]) -> list[ImportResult]:
        """Store and enrich every conversation of a document.

        Raises InvalidInputError if the document has an unknown format, is larger than MOST_BYTES,
        or none of its conversations could be stored; StorageError.
        """
        size = len(_to_json(document).encode())
        if size > MOST_BYTES:
            raise InvalidInputError(
                f"The document has {size:,} bytes, more than the {MOST_BYTES:,} of one request. "
                "Import it in parts.",
                details={"bytes": size, "most_bytes": MOST_BYTES},
            )
        with ThreadPoolExecutor(_CONCURRENCY) as threads:
            results = list(threads.map(self._one, self._rows(owner_id, document)))
        if not any(one.record for one in results):
            raise InvalidInputError(
                f"None of the document's {len(results)} conversations could be imported.",
                details=[
                    {
                        "field": one.place,
                        "message": one.error or "it was rejected",
                        "code": one.code,
                    }
                    for one in results
                ],
            )
        return results

    def _rows(self, owner_id: str, document: Mapping[str, Any]) -> Iterator[_Row]:
        """Yield each conversation with its row; threads would each read the catalog's records."""
        catalog = self.catalog()
        for read in read_conversations(document):
            if isinstance(read, UnreadableConversation):
                yield read
            else:
                record = _record(owner_id, read, iso(self.clock()), self.new_attempt())
                yield read, _with_known_scaffolding(record, catalog)

    def _one(self, row: _Row) -> ImportResult:
        if isinstance(row, UnreadableConversation):
            return ImportResult(row.place, None, [], row.reason, row.code)
        read, record = row
        try:
            self._add(record, read)
        except DuplicateKeyError:
            error = f"there is a conversation with the id '{record.conversation_id}' already"
            return ImportResult(read.place, None, [], error, "already_imported")
        enriched = self.enricher.enrich(record)
        return ImportResult(read.place, enriched, [*read.warnings, *_issues(enriched)])

    def _add(self, record: ConversationRecord, read: ImportedConversation) -> None:
        """Store the objects and then the row; raises DuplicateKeyError."""
        owner, identifier = record.owner_id, record.conversation_id
        files, contents = (
            self.conversation_files,
            {
                record.raw_response_path: read.source,
                record.file_path: read.document,
            },
        )
        if self._exists(record):
            raise DuplicateKeyError(f"There is a conversation '{identifier}' already.")
        in_use = partial(keys_in_use, self.conversations, owner, identifier)
        with discarded_if_lost(files, in_use, *contents):
            for path, content in contents.items():
                files.put(path, _to_json(content), content_type="application/json")
            self.conversations.add(record)

    def _exists(self, record: ConversationRecord) -> bool:
        try:
            self.conversations.conversation(record.owner_id, record.conversation_id)
        except NotFoundError:
            return False
        return True


def _record(
    owner_id: str, read: ImportedConversation, now: str, attempt: str
) -> ConversationRecord:
    document = read.document
    turns = document["turns"]
    conversation_id = read.conversation_id or imported_conversation_id(owner_id, _to_json(document))
    name = in_one_line(str(document["conversation_metadata"].get("client_persona") or ""))
    keys = {key: value[:_LONGEST_KEY] for key, value in read.keys.items()}
    parameters = {
        key: str(value)[:_LONGEST_KEY]
        for key, value in (document.get("input_parameters") or {}).items()
    }
    return ConversationRecord(
        owner_id=owner_id,
        conversation_id=conversation_id,
        conversation_name=name[:_LONGEST_NAME] or "Imported",
        batch_job_id="",
        item_id="",
        persona_id=parameters.get("persona_id", ""),
        persona_key=keys["persona_key"],
        emotional_arc_id=parameters.get("emotional_arc_id", ""),
        emotional_arc_key=keys["emotional_arc_key"],
        training_topic_id=parameters.get("training_topic_id", ""),
        training_topic_key=keys["training_topic_key"],
        template_id="",
        tier="template",
        turn_count=len(turns),
        starting_emotion=_emotion(turns[0]),
        ending_emotion=_emotion(turns[-1]),
        file_path=object_keys.parsed_conversation(owner_id, conversation_id, attempt),
        file_size=len(_to_json(document).encode()),
        raw_response_path=object_keys.raw_response(owner_id, conversation_id, attempt),
        raw_response_size=len(_to_json(read.source).encode()),
        model="",
        input_tokens=0,
        output_tokens=0,
        cost_micro_usd=0,
        simulated=False,
        created_at=now,
        updated_at=now,
        created_by=owner_id,
        origin="imported",
    )


def _with_known_scaffolding(
    record: ConversationRecord, catalog: ScaffoldingCatalog
) -> ConversationRecord:
    """The record with the ids of its persona, arc and topic, which filters ask for, and its tier.

    A key that the owner has wins over an id of the file, which is v1's.
    """
    persona, arc, topic = catalog.named(
        record.owner_id,
        record.persona_key,
        record.emotional_arc_key,
        record.training_topic_key,
    )
    return replace(
        record,
        persona_id=persona.id if persona else record.persona_id,
        emotional_arc_id=arc.id if arc else record.emotional_arc_id,
        training_topic_id=topic.id if topic else record.training_topic_id,
        tier=arc.tier if arc else record.tier,
    )


def _to_json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)


def _emotion(turn: Any) -> str:
    """The primary emotion of a turn that has not been validated yet."""
    context = turn.get("emotional_context") if isinstance(turn, dict) else None
    emotion = context.get("primary_emotion", "") if isinstance(context, dict) else ""
    return str(emotion)[:_LONGEST_KEY]


def _issues(record: ConversationRecord) -> list[str]:
    """The issues and flags that the enrichment found, as text."""
    from brightrun.conversations.enrichment.validation import FLAGGED

    report = record.validation_report or {}
    issues = [*report.get("blockers", []), *report.get("warnings", [])]
    texts = [f"{issue['code']} at {issue['field']}: {issue['message']}" for issue in issues]
    flags = [
        f"{flag['code']} in turn {flag['turn_number']}: {flag['message']}"
        for flag in record.flag_details
        if flag["code"] not in FLAGGED.values()
    ]
    return [*texts, *flags, *([record.enrichment_error] if record.enrichment_error else [])]
