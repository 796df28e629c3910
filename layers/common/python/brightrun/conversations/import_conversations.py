"""Imports conversations from v1's raw, enriched and training.json files.

A file with pairs is converted back to the conversation that it was made from, so that it passes the
same checks as a new one. The source is stored too, since it holds more than the conversation.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from brightrun.aws.objects import ObjectStore
from brightrun.conversations.model import ConversationRecord
from brightrun.conversations.repository import ConversationRepository
from brightrun.core import object_keys
from brightrun.core.errors import InvalidInputError, NotFoundError
from brightrun.core.ids import imported_conversation_id
from brightrun.core.timestamps import Clock, iso
from brightrun.scaffolding.builtin import builtin_records
from brightrun.scaffolding.model import EmotionalArc, Tier

if TYPE_CHECKING:
    from brightrun.conversations.enrichment.pipeline import ConversationEnricher


Shape = Literal["raw", "enriched", "training_json"]
MOST_BYTES = 5 * 1024 * 1024
"""Size of one document: AWS Lambda accepts requests of 6 MB, including the envelope."""
_CONCURRENCY = 8
_LONGEST_NAME, _LONGEST_KEY = 255, 100
MOST_PROMPT_CHARACTERS = 50_000
"""The prompt is stored on the row, which may have 400 KB."""
_DATASET_PREFIX = "fp_conversation_"
_KEYS = (
    ("persona_key", "persona_archetype"),
    ("emotional_arc_key", "emotional_arc_key"),
    ("training_topic_key", "training_topic_key"),
)
_METADATA = ("client_persona", "session_context", "conversation_phase", "expected_outcome")
_RECREATED = "its pairs are recreated from its turns, with new scores, skills and ids"


@dataclass(frozen=True, slots=True)
class ImportedConversation:
    """One conversation of a file: the document to store, and the source that it was read from.

    `place` is its position in the file; `conversation_id` is None if the file has no usable id.
    """

    place: str
    shape: Shape
    document: dict[str, Any]
    source: dict[str, Any]
    conversation_id: str | None = None
    system_prompt: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class UnreadableConversation:
    """One conversation of a file that cannot be read, and the reason."""

    place: str
    reason: str


ReadResult = ImportedConversation | UnreadableConversation


def read_conversations(document: Mapping[str, Any]) -> list[ReadResult]:
    """Read the conversations of a file; raises InvalidInputError if it has none of the formats."""
    if isinstance(document.get("conversations"), list) and "training_file_metadata" in document:
        return list(_read_training_json(document["conversations"]))
    if isinstance(document.get("training_pairs"), list):
        return [_read("the document", _read_enriched, dict(document))]
    if "turns" in document and "conversation_metadata" in document:
        return [_read("the document", _read_raw, dict(document))]
    raise InvalidInputError(
        "The document has none of the formats that can be imported: a raw conversation has "
        "conversation_metadata and turns, an enriched one training_pairs, a training.json "
        "training_file_metadata and conversations.",
        details={"fields": sorted(document)[:20]},
    )


def _read(place: str, read: Any, part: Any) -> ReadResult:
    try:
        result: ReadResult = read(place, part)
    except KeyError as error:
        return UnreadableConversation(place, f"the field {error} is missing")
    except ValueError as error:
        return UnreadableConversation(place, f"it does not match its format ({error})")
    except (TypeError, AttributeError, IndexError):
        why = "a part of it is null, empty, or of another type than its format has"
        return UnreadableConversation(place, f"it does not match its format ({why})")
    return result


def _read_training_json(entries: Sequence[Any]) -> Iterator[ReadResult]:
    for number, entry in enumerate(entries, 1):
        yield _read(f"conversation {number}", _read_entry, entry)


def _read_raw(place: str, document: dict[str, Any]) -> ImportedConversation:
    if not isinstance(document["turns"], list) or not document["turns"]:
        raise ValueError("turns is not a list, or is empty")
    if not isinstance(document["conversation_metadata"], dict):
        raise ValueError("conversation_metadata is not an object")
    parameters = _texts(document.get("input_parameters") or {})
    keys = {key: parameters.get(key, "") for key, _ in _KEYS}
    return ImportedConversation(place, "raw", document, document, keys=keys)


def _read_enriched(place: str, document: dict[str, Any]) -> ImportedConversation:
    name = str(document.get("dataset_metadata", {}).get("dataset_name", ""))
    parameters = _texts(document.get("input_parameters") or {})
    named = name.removeprefix(_DATASET_PREFIX)
    return _read_pairs(place, "enriched", document, named, parameters)


def _read_entry(place: str, entry: dict[str, Any]) -> ImportedConversation:
    metadata = entry["conversation_metadata"]
    parameters = _texts(metadata.get("scaffolding") or {})
    return _read_pairs(place, "training_json", entry, str(metadata["conversation_id"]), parameters)


def _read_pairs(
    place: str, shape: Shape, part: dict[str, Any], named: str, parameters: Mapping[str, str]
) -> ImportedConversation:
    pairs = part["training_pairs"]
    metadata = _texts(pairs[0]["conversation_metadata"])
    prompts = list(dict.fromkeys(str(pair["system_prompt"]) for pair in pairs))
    warnings = [_RECREATED]
    if len(prompts[0]) > MOST_PROMPT_CHARACTERS:
        raise ValueError(f"a system prompt is longer than {MOST_PROMPT_CHARACTERS} characters")
    if len(prompts) > 1:
        warnings.append(f"its pairs have {len(prompts)} system prompts; the first is kept")
    document: dict[str, Any] = {
        "conversation_metadata": {name: metadata[name] for name in _METADATA if name in metadata},
        "turns": [_turn(number, pair) for number, pair in enumerate(pairs, 1)],
    }
    if "input_parameters" in part:
        document["input_parameters"] = part["input_parameters"]
    return ImportedConversation(
        place=place,
        shape=shape,
        document=document,
        source=part,
        conversation_id=_uuid(named, warnings),
        system_prompt=prompts[0],
        keys={key: parameters.get(key) or metadata.get(source, "") for key, source in _KEYS},
        warnings=tuple(warnings),
    )


def _turn(number: int, pair: Mapping[str, Any]) -> dict[str, Any]:
    """The turn that a pair was made from; v1 makes a pair for every turn."""
    emotions = pair["emotional_context"]["detected_emotions"]
    answers = pair["target_response"] is not None
    context = {"primary_emotion": emotions["primary"]}
    if emotions.get("secondary"):
        context["secondary_emotion"] = emotions["secondary"]
    return {
        "turn_number": number,
        "role": "assistant" if answers else "user",
        "content": pair["target_response"] if answers else pair["current_user_input"],
        "emotional_context": {**context, "intensity": emotions["intensity"]},
    }


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in values.items() if isinstance(value, str)}


def _uuid(named: str, warnings: list[str]) -> str | None:
    try:
        return str(uuid.UUID(named))
    except ValueError:
        warnings.append(f"its id '{named[:100]}' is not a UUID; it gets a new one")
        return None


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The result of one conversation of a file; `record` is None if it was rejected."""

    place: str
    record: ConversationRecord | None
    warnings: list[str]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ConversationImporter:
    """Imports files; a conversation that is rejected does not affect the others."""

    conversations: ConversationRepository
    conversation_files: ObjectStore
    enricher: ConversationEnricher
    clock: Clock

    def import_document(self, owner_id: str, document: Mapping[str, Any]) -> list[ImportResult]:
        """Store and enrich every conversation of a document.

        Raises InvalidInputError if the document has an unknown format, is larger than MOST_BYTES,
        or none of its conversations could be stored; DuplicateKeyError if the same conversation is
        imported concurrently; StorageError.
        """
        size = len(_to_json(document).encode())
        if size > MOST_BYTES:
            raise InvalidInputError(
                f"The document has {size} bytes, more than the {MOST_BYTES} of one request. "
                "Import it in parts.",
                details={"bytes": size, "most_bytes": MOST_BYTES},
            )
        with ThreadPoolExecutor(_CONCURRENCY) as threads:
            results = list(
                threads.map(lambda one: self._one(owner_id, one), read_conversations(document))
            )
        if not any(one.record for one in results):
            raise InvalidInputError(
                f"None of the document's {len(results)} conversations could be imported.",
                details=[
                    {"field": one.place, "message": one.error or "it was rejected"}
                    for one in results
                ],
            )
        return results

    def _one(self, owner_id: str, read: ReadResult) -> ImportResult:
        if isinstance(read, UnreadableConversation):
            return ImportResult(read.place, None, [], read.reason)
        record = _record(owner_id, read, iso(self.clock()))
        if self._exists(record):
            error = f"there is a conversation with the id '{record.conversation_id}' already"
            return ImportResult(read.place, None, [], error)
        for path, content in (
            (record.raw_response_path, read.source),
            (record.file_path, read.document),
        ):
            self.conversation_files.put(path, _to_json(content), content_type="application/json")
        self.conversations.add(record)
        enriched = self.enricher.enrich(record)
        return ImportResult(read.place, enriched, [*read.warnings, *_issues(enriched)])

    def _exists(self, record: ConversationRecord) -> bool:
        try:
            self.conversations.conversation(record.owner_id, record.conversation_id)
        except NotFoundError:
            return False
        return True


def _record(owner_id: str, read: ImportedConversation, now: str) -> ConversationRecord:
    document = read.document
    turns = document["turns"]
    conversation_id = read.conversation_id or imported_conversation_id(owner_id, _to_json(document))
    name = str(document["conversation_metadata"].get("client_persona") or "Imported")
    keys = {key: value[:_LONGEST_KEY] for key, value in read.keys.items()}
    parameters = {
        key: str(value)[:_LONGEST_KEY]
        for key, value in (document.get("input_parameters") or {}).items()
    }
    return ConversationRecord(
        owner_id=owner_id,
        conversation_id=conversation_id,
        conversation_name=name[:_LONGEST_NAME],
        batch_job_id="",
        item_id="",
        persona_id=parameters.get("persona_id", ""),
        persona_key=keys["persona_key"],
        emotional_arc_id=parameters.get("emotional_arc_id", ""),
        emotional_arc_key=keys["emotional_arc_key"],
        training_topic_id=parameters.get("training_topic_id", ""),
        training_topic_key=keys["training_topic_key"],
        template_id="",
        tier=_tier(keys["emotional_arc_key"]),
        turn_count=len(turns),
        starting_emotion=_emotion(turns[0]),
        ending_emotion=_emotion(turns[-1]),
        file_path=object_keys.parsed_conversation(owner_id, conversation_id),
        file_size=len(_to_json(document).encode()),
        raw_response_path=object_keys.raw_response(owner_id, conversation_id),
        raw_response_size=len(_to_json(read.source).encode()),
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


def _to_json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)


def _tier(arc_key: str) -> Tier:
    arcs = (arc for arc in builtin_records(EmotionalArc) if arc.key == arc_key)
    return next((arc.tier for arc in arcs), "template")


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
