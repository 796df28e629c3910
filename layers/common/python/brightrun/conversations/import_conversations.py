"""Imports conversations from v1's raw, enriched and training.json files.

A file with pairs is turned back into the conversation it was made from, so that it goes through the
same checks as a new one; what only the old file said stays in the copy that is kept of it.
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
    from brightrun.conversations.enrichment.service import ConversationEnricher


Shape = Literal["raw", "enriched", "training_json"]
MOST_PROMPT_CHARACTERS = 50_000
"""The prompt is kept on the row, which holds 400 KB."""
_DATASET_PREFIX = "fp_conversation_"
_KEYS = (
    ("persona_key", "persona_archetype"),
    ("emotional_arc_key", "emotional_arc_key"),
    ("training_topic_key", "training_topic_key"),
)
_METADATA = ("client_persona", "session_context", "conversation_phase", "expected_outcome")
_REMADE = "its pairs are made anew from its turns; scores, skills and ids are ours"


@dataclass(frozen=True, slots=True)
class ImportedConversation:
    """One conversation of a file: as we store it, as it came, and what is worth knowing about it.

    `place` says where in the file it stood; `conversation_id` is None where the file names none.
    """

    place: str
    shape: Shape
    document: dict[str, Any]
    original: dict[str, Any]
    conversation_id: str | None = None
    system_prompt: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class UnreadableConversation:
    """One conversation of a file that cannot be read, and why."""

    place: str
    reason: str


Read = ImportedConversation | UnreadableConversation


def read_conversations(document: Mapping[str, Any]) -> list[Read]:
    """Take a file apart; raises InvalidInputError when it is none of the three."""
    if isinstance(document.get("conversations"), list) and "training_file_metadata" in document:
        return list(_of_training_json(document["conversations"]))
    if isinstance(document.get("training_pairs"), list):
        return [_guarded("the document", _of_enriched, dict(document))]
    if "turns" in document and "conversation_metadata" in document:
        return [_guarded("the document", _of_raw, dict(document))]
    raise InvalidInputError(
        "This is none of the files that can be imported: a raw conversation has "
        "conversation_metadata and turns, an enriched one training_pairs, a training.json "
        "training_file_metadata and conversations.",
        details={"fields": sorted(document)[:20]},
    )


def _guarded(place: str, read: Any, part: Any) -> Read:
    try:
        found: Read = read(place, part)
    except KeyError as error:
        return UnreadableConversation(place, f"the field {error} is missing")
    except (TypeError, AttributeError, ValueError, IndexError) as error:
        return UnreadableConversation(place, f"it is not shaped as its format says ({error})")
    return found


def _of_training_json(entries: Sequence[Any]) -> Iterator[Read]:
    for number, entry in enumerate(entries, 1):
        yield _guarded(f"conversation {number}", _of_entry, entry)


def _of_raw(place: str, document: dict[str, Any]) -> ImportedConversation:
    if not isinstance(document["turns"], list) or not document["turns"]:
        raise ValueError("turns is not a list with something in it")
    if not isinstance(document["conversation_metadata"], dict):
        raise ValueError("conversation_metadata is not an object")
    asked = _texts(document.get("input_parameters") or {})
    keys = {key: asked.get(key, "") for key, _ in _KEYS}
    return ImportedConversation(place, "raw", document, document, keys=keys)


def _of_enriched(place: str, document: dict[str, Any]) -> ImportedConversation:
    name = str(document.get("dataset_metadata", {}).get("dataset_name", ""))
    asked = _texts(document.get("input_parameters") or {})
    named = name.removeprefix(_DATASET_PREFIX)
    return _of_pairs(place, "enriched", document, named, asked)


def _of_entry(place: str, entry: dict[str, Any]) -> ImportedConversation:
    about = entry["conversation_metadata"]
    asked = _texts(about.get("scaffolding") or {})
    return _of_pairs(place, "training_json", entry, str(about["conversation_id"]), asked)


def _of_pairs(
    place: str, shape: Shape, part: dict[str, Any], named: str, asked: Mapping[str, str]
) -> ImportedConversation:
    pairs = part["training_pairs"]
    told = _texts(pairs[0]["conversation_metadata"])
    prompts = list(dict.fromkeys(str(pair["system_prompt"]) for pair in pairs))
    warnings = [_REMADE]
    if len(prompts[0]) > MOST_PROMPT_CHARACTERS:
        raise ValueError(f"a system prompt is longer than {MOST_PROMPT_CHARACTERS} characters")
    if len(prompts) > 1:
        warnings.append(f"its pairs have {len(prompts)} system prompts; the first is kept")
    document: dict[str, Any] = {
        "conversation_metadata": {name: told[name] for name in _METADATA if name in told},
        "turns": [_turn(number, pair) for number, pair in enumerate(pairs, 1)],
    }
    if "input_parameters" in part:
        document["input_parameters"] = part["input_parameters"]
    return ImportedConversation(
        place=place,
        shape=shape,
        document=document,
        original=part,
        conversation_id=_uuid(named, warnings),
        system_prompt=prompts[0],
        keys={key: asked.get(key) or told.get(source, "") for key, source in _KEYS},
        warnings=tuple(warnings),
    )


def _turn(number: int, pair: Mapping[str, Any]) -> dict[str, Any]:
    """The turn that a pair was made for: there is a pair for every turn (part 1.3)."""
    felt = pair["emotional_context"]["detected_emotions"]
    answers = pair["target_response"] is not None
    context = {"primary_emotion": felt["primary"]}
    if felt.get("secondary"):
        context["secondary_emotion"] = felt["secondary"]
    return {
        "turn_number": number,
        "role": "assistant" if answers else "user",
        "content": pair["target_response"] if answers else pair["current_user_input"],
        "emotional_context": {**context, "intensity": felt["intensity"]},
    }


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in values.items() if isinstance(value, str)}


def _uuid(named: str, warnings: list[str]) -> str | None:
    try:
        return str(uuid.UUID(named))
    except ValueError:
        warnings.append(f"its id '{named[:100]}' is no UUID; it gets one of ours")
        return None


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
