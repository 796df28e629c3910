"""Chooses the conversations of a training file, and builds its immutable versions."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Literal

from brightrun.aws.objects import ObjectStore
from brightrun.conversations.enrichment.model import read_enriched
from brightrun.conversations.model import ConversationRecord
from brightrun.conversations.repository import ConversationReads
from brightrun.core import object_keys
from brightrun.core.errors import (
    NotFoundError,
    StorageError,
    TrainingFileFullError,
    UnfitConversationsError,
    VersionConflictError,
)
from brightrun.core.ids import time_ordered_id
from brightrun.core.timestamps import Clock, iso
from brightrun.formats.v4_files import V4Conversation, V4Document
from brightrun.training_files.document import (
    TrainingTexts,
    conversation_entry,
    read_training_json,
    scores_of,
    spoken_texts,
    training_texts,
)
from brightrun.training_files.model import (
    MOST_BYTES,
    MOST_VERSIONS,
    Eligibility,
    FileFormat,
    QualitySummary,
    TrainingFile,
    TrainingFileVersion,
    name_taken,
)
from brightrun.training_files.repository import TrainingFileRepository

NEAR = 0.8
"""The share of the shorter conversation's turns that the other one says too, from which on they are
near duplicates: in 8 turns, 7 are the same."""
_SHORTEST = 15
"""Characters from which on a turn counts: "Thank you so much." may well stand in two."""
_NOT_A_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A pair of conversations; `overlap` is the share of turns that they have in common."""

    kind: Literal["exact", "near"]
    conversation_id: str
    same_as: str
    overlap: float


def duplicates_among(
    texts: Mapping[str, Sequence[str]], against: Mapping[str, Sequence[str]] | None = None
) -> list[Duplicate]:
    """Compare conversations (id to its turns) with one another and with those they join.

    Turns are compared by their words, without case and punctuation. Only conversations that share
    a turn are compared, so time and memory grow with the turns, not with the square of them.
    """
    words = {key: _turns(said) for key, said in {**(against or {}), **texts}.items()}
    holders: dict[str, list[str]] = defaultdict(list)
    found = []
    for key, turns in words.items():
        said = set(turns)
        if key in texts:
            shared = Counter(other for turn in said for other in holders[turn])
            found += [
                duplicate
                for other, count in shared.items()
                if (duplicate := _compared(key, other, count, words))
            ]
        for turn in said:
            holders[turn].append(key)
    return found


def _compared(
    key: str, other: str, shared: int, words: Mapping[str, Sequence[str]]
) -> Duplicate | None:
    if words[key] == words[other]:
        return Duplicate("exact", key, other, 1.0)
    overlap = shared / min(len(set(words[key])), len(set(words[other])))
    return Duplicate("near", key, other, round(overlap, 2)) if overlap >= NEAR else None


def _turns(said: Sequence[str]) -> tuple[str, ...]:
    turns = (_NOT_A_WORD.sub(" ", turn.casefold()).strip() for turn in said)
    return tuple(turn for turn in turns if len(turn) >= _SHORTEST)


_AT_ONCE = 16
"""Reads side by side: each waits for two AWS calls of some 20 ms, and there are up to 80."""
REASONS = {
    "repeated": "are named more than once",
    "unknown": "do not exist",
    "rejected": "were rejected in review",
    "archived": "are archived",
    "not_approved": "are not approved",
    "not_enriched": "are not enriched",
    "already_in_file": "are in the file already",
    "duplicates": "say the same as another one",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """A conversation's row with its enriched file."""

    record: ConversationRecord
    enriched: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which conversations a caller wants in a file, in which order, and what they must be."""

    conversation_ids: Sequence[str]
    eligibility: Eligibility = "enriched"
    allow_duplicates: bool = False


@dataclass(frozen=True, slots=True)
class ConversationChooser:
    """Reads conversations for training files."""

    conversations: ConversationReads
    conversation_files: ObjectStore

    def choose(
        self, owner_id: str, choice: Choice, present: Sequence[V4Conversation] = ()
    ) -> list[Chosen]:
        """Read all of a choice, in its order; `present` is what the file holds already.

        Raises UnfitConversationsError that lists every conversation that cannot go in and why:
        nothing is left out in silence. Raises StorageError.
        """
        records = self._records(owner_id, dict.fromkeys(choice.conversation_ids))
        faults = _faults(choice, records, {one.conversation_id for one in present})
        if any(faults.values()):
            raise _unfit(faults)
        chosen = self._with_files([one for one in records.values() if one])
        if not choice.allow_duplicates:
            _refuse_duplicates(chosen, present)
        return chosen

    def _records(
        self, owner_id: str, conversation_ids: Iterable[str]
    ) -> dict[str, ConversationRecord | None]:
        def read(conversation_id: str) -> ConversationRecord | None:
            try:
                return self.conversations.conversation(owner_id, conversation_id)
            except NotFoundError:
                return None

        wanted = list(conversation_ids)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            return dict(zip(wanted, threads.map(read, wanted), strict=True))

    def _with_files(self, records: Sequence[ConversationRecord]) -> list[Chosen]:
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            return list(threads.map(self._with_file, records))

    def _with_file(self, record: ConversationRecord) -> Chosen:
        stored = self.conversation_files.get(str(record.enriched_file_path))
        if stored is None:
            raise StorageError("GetObject", f"'{record.conversation_id}' has lost its pairs")
        return Chosen(record, read_enriched(stored.text))


def _faults(
    choice: Choice, records: Mapping[str, ConversationRecord | None], present: set[str]
) -> dict[str, list[Any]]:
    faults: dict[str, list[Any]] = {reason: [] for reason in REASONS}
    times = Counter(choice.conversation_ids)
    faults["repeated"] = [one for one, count in times.items() if count > 1]
    for conversation_id, record in records.items():
        reason = _fault(record, choice.eligibility)
        if conversation_id in present:
            reason = "already_in_file"
        if reason:
            faults[reason].append(conversation_id)
    return faults


def _fault(record: ConversationRecord | None, eligibility: Eligibility) -> str | None:
    if record is None:
        return "unknown"
    if record.status in {"rejected", "archived"}:
        return record.status
    if eligibility == "approved" and record.status != "approved":
        return "not_approved"
    enriched = record.enrichment_status == "completed" and record.enriched_file_path
    return None if enriched else "not_enriched"


def _refuse_duplicates(chosen: Sequence[Chosen], present: Sequence[V4Conversation]) -> None:
    texts = {
        one.record.conversation_id: spoken_texts(one.enriched["training_pairs"]) for one in chosen
    }
    there = {one.conversation_id: spoken_texts(one.pairs) for one in present}
    found = duplicates_among(texts, there)
    if found:
        raise _unfit({"duplicates": [asdict(one) for one in found]})


def _unfit(faults: Mapping[str, list[Any]]) -> UnfitConversationsError:
    found = {reason: listed for reason, listed in faults.items() if listed}
    said = "; ".join(f"{len(listed)} {REASONS[reason]}" for reason, listed in found.items())
    mend = "Leave them out, or mend what is named in details"
    if "duplicates" in found:
        mend = "Leave one of each out, or allow duplicates"
    return UnfitConversationsError(
        f"Not every conversation can go into the training file: {said}. {mend}.", details=found
    )


CONTENT_TYPES = {"json": "application/json", "jsonl": "application/x-ndjson"}


@dataclass(frozen=True, slots=True)
class TrainingFileBuilder:
    """What the training_files function makes.

    `new_attempt` names one attempt at a version: two that write the same one never share an object.
    """

    files: TrainingFileRepository
    chooser: ConversationChooser
    training_files: ObjectStore
    clock: Clock
    new_attempt: Callable[[], str]

    def create(self, owner_id: str, *, name: str, description: str, choice: Choice) -> TrainingFile:
        """Make a file of a choice of conversations, as version 1.

        Raises DuplicateKeyError, UnfitConversationsError, TrainingFileFullError, StorageError.
        """
        if not self.files.name_is_free(owner_id, name):
            raise name_taken(name)
        chosen = self.chooser.choose(owner_id, choice)
        now = self.clock()
        file_id = time_ordered_id(now)
        document = V4Document(name, [], consultant=chosen[0].enriched["consultant_profile"])
        draft = _Draft(owner_id, file_id, 1, iso(now), iso(now))
        first, texts = self._store(draft, document, QualitySummary(), chosen)
        file = TrainingFile(
            owner_id=owner_id,
            file_id=file_id,
            name=name,
            description=description,
            created_at=iso(now),
            updated_at=iso(now),
            created_by=owner_id,
            versions=[first],
            scaffolding_distribution=texts.scaffolding_distribution,
        )
        self.files.add(file)
        return file

    def add(self, owner_id: str, file_id: str, choice: Choice) -> TrainingFile:
        """Make the file's next version, with more conversations after those it holds.

        When another addition lands first, it is made once more on top of that one. Raises
        NotFoundError, UnfitConversationsError, TrainingFileFullError, StorageError, and
        VersionConflictError when it was overtaken twice.
        """
        try:
            return self._add(owner_id, file_id, choice)
        except VersionConflictError:
            return self._add(owner_id, file_id, choice)

    def _add(self, owner_id: str, file_id: str, choice: Choice) -> TrainingFile:
        file = self.files.training_file(owner_id, file_id)
        if file.version >= MOST_VERSIONS:
            raise TrainingFileFullError(
                f"The training file '{file.name}' has {MOST_VERSIONS} versions, which is all that "
                "one file takes. Make a new file.",
                details=file.state(),
            )
        stored = self.training_files.get(file.newest.json_key)
        if stored is None:
            raise StorageError("GetObject", "the training file has lost its newest version")
        document = read_training_json(stored.text)
        chosen = self.chooser.choose(owner_id, choice, document.conversations)
        now = iso(self.clock())
        draft = _Draft(
            owner_id, file_id, file.version + 1, file.created_at, now, file.newest.simulated
        )
        added, texts = self._store(draft, document, file.newest.quality, chosen)
        grown = file.grown(added, texts.scaffolding_distribution)
        self.files.replace(grown, file.version)
        return grown

    def _store(
        self,
        draft: _Draft,
        document: V4Document,
        quality: QualitySummary,
        chosen: Sequence[Chosen],
    ) -> tuple[TrainingFileVersion, TrainingTexts]:
        for one in chosen:
            document.conversations.append(conversation_entry(one.record, one.enriched))
            reviewed = one.record.reviewed_at is not None
            scores = scores_of(one.record, one.enriched)
            quality = quality.plus(scores, human_reviewed=reviewed)
        texts = training_texts(
            document, quality, created_at=draft.file_created_at, updated_at=draft.now
        )
        _refuse_too_large(document.file_name, texts)
        attempt = self.new_attempt()
        version = TrainingFileVersion(
            version=draft.version,
            created_at=draft.now,
            created_by=draft.owner_id,
            **self._put(draft, attempt, "json", texts.json),
            **self._put(draft, attempt, "jsonl", texts.jsonl),
            conversation_count=texts.conversation_count,
            added_conversations=len(chosen),
            total_training_pairs=texts.total_training_pairs,
            trainable_pairs=texts.trainable_pairs,
            quality=quality,
            simulated=draft.simulated or any(one.record.simulated for one in chosen),
        )
        return version, texts

    def _put(
        self, draft: _Draft, attempt: str, file_format: FileFormat, text: str
    ) -> dict[str, Any]:
        """Store one of the two objects, and say where it is and how to know it again."""
        key = object_keys.training_file(draft.file_id, draft.version, attempt, file_format)
        size = self.training_files.put(key, text, content_type=CONTENT_TYPES[file_format])
        return {
            f"{file_format}_key": key,
            f"{file_format}_file_size": size,
            f"{file_format}_sha256": hashlib.sha256(text.encode()).hexdigest(),
        }


@dataclass(frozen=True, slots=True)
class _Draft:
    """Which version of which file is being made; `simulated` is what the one before it was."""

    owner_id: str
    file_id: str
    version: int
    file_created_at: str
    now: str
    simulated: bool = False


def _refuse_too_large(name: str, texts: TrainingTexts) -> None:
    size = len(texts.json.encode())
    if size > MOST_BYTES:
        raise TrainingFileFullError(
            f"The training file '{name}' would have {size} bytes, more than the {MOST_BYTES} that "
            "one file takes. Choose fewer conversations, or make a new file.",
            details={"bytes": size, "most_bytes": MOST_BYTES},
        )
