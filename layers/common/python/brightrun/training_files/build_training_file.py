"""Selects the conversations of a training file, and builds its immutable versions."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Literal

from brightrun.aws.objects import ObjectStore, discarded_if_lost
from brightrun.conversations.enrichment.model import read_enriched
from brightrun.conversations.model import ConversationRecord
from brightrun.conversations.repository import ConversationRepository
from brightrun.core import object_keys
from brightrun.core.errors import (
    NotFoundError,
    StorageError,
    TrainingFileFullError,
    UnfitConversationsError,
    VersionConflictError,
)
from brightrun.core.ids import new_attempt, time_ordered_id
from brightrun.core.timestamps import Clock, iso
from brightrun.formats import V4Conversation, V4Document
from brightrun.training_files.document import (
    TrainingTexts,
    conversation_entry,
    read_training_json,
    scores_of,
    training_texts,
    turn_texts,
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

NEAR_DUPLICATE_OVERLAP = 0.8
"""Near duplicates share at least this part of the shorter conversation's turns, such as 7 of 8."""
_MIN_TURN_CHARACTERS = 15
"""Shorter turns are ignored: different conversations may both contain "Thank you!"."""
_NOT_A_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A duplicate of `same_as`; `overlap` is the share of turns in common, 0 to 1."""

    kind: Literal["exact", "near"]
    conversation_id: str
    same_as: str
    overlap: float


def find_duplicates(
    texts: Mapping[str, Sequence[str]], against: Mapping[str, Sequence[str]] | None = None
) -> list[Duplicate]:
    """Compare the turns of conversations, by id, with one another and with those in `against`.

    Turns are compared without case and punctuation. Only conversations that share a turn are
    compared, so that time and memory are proportional to the number of turns.
    """
    normalized = {key: _turns(turns) for key, turns in {**(against or {}), **texts}.items()}
    conversations_with: dict[str, list[str]] = defaultdict(list)
    found = []
    for key, turns in normalized.items():
        distinct = set(turns)
        if key in texts:
            shared = Counter(other for turn in distinct for other in conversations_with[turn])
            found += [
                duplicate
                for other, count in shared.items()
                if (duplicate := _compare(key, other, count, normalized))
            ]
        for turn in distinct:
            conversations_with[turn].append(key)
    return found


def _compare(
    key: str, other: str, shared: int, turns: Mapping[str, Sequence[str]]
) -> Duplicate | None:
    if turns[key] == turns[other]:
        return Duplicate("exact", key, other, 1.0)
    overlap = shared / min(len(set(turns[key])), len(set(turns[other])))
    return (
        Duplicate("near", key, other, round(overlap, 2))
        if overlap >= NEAR_DUPLICATE_OVERLAP
        else None
    )


def _turns(texts: Sequence[str]) -> tuple[str, ...]:
    turns = (_NOT_A_WORD.sub(" ", text.casefold()).strip() for text in texts)
    return tuple(turn for turn in turns if len(turn) >= _MIN_TURN_CHARACTERS)


_PARALLEL_READS = 16
"""Concurrent reads of up to 80 conversations, each two AWS calls of about 20 ms."""
REASONS = {
    "repeated": "are named more than once",
    "unknown": "do not exist",
    "rejected": "were rejected in review",
    "archived": "are archived",
    "not_approved": "are not approved",
    "not_enriched": "are not enriched",
    "severe_flags": "have a severe flag, which no reviewer approved",
    "already_in_file": "are already in the file",
    "duplicates": "have the same text as another one",
}


@dataclass(frozen=True, slots=True)
class SelectedConversation:
    """A conversation's record with its enriched file."""

    record: ConversationRecord
    enriched: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ConversationSelection:
    """The conversations that a caller requests for a file, in order, and the conditions on them."""

    conversation_ids: Sequence[str]
    eligibility: Eligibility = "enriched"
    allow_duplicates: bool = False


@dataclass(frozen=True, slots=True)
class ConversationSelector:
    """Reads and checks the conversations of a selection."""

    conversations: ConversationRepository
    conversation_files: ObjectStore

    def select(
        self,
        owner_id: str,
        selection: ConversationSelection,
        present: Sequence[V4Conversation] = (),
    ) -> list[SelectedConversation]:
        """Read the conversations in order; `present` are those that the file has already.

        Raises UnfitConversationsError, with all conversations that are not eligible and why in its
        details; none is left out silently. Raises StorageError.
        """
        records = self._records(owner_id, dict.fromkeys(selection.conversation_ids))
        rejected = _rejected(selection, records, {one.conversation_id for one in present})
        if any(rejected.values()):
            raise _unfit(rejected)
        selected = self._with_files([one for one in records.values() if one])
        if not selection.allow_duplicates:
            _refuse_duplicates(selected, present)
        return selected

    def _records(
        self, owner_id: str, conversation_ids: Iterable[str]
    ) -> dict[str, ConversationRecord | None]:
        def read(conversation_id: str) -> ConversationRecord | None:
            try:
                return self.conversations.conversation(owner_id, conversation_id)
            except NotFoundError:
                return None

        wanted = list(conversation_ids)
        with ThreadPoolExecutor(_PARALLEL_READS) as threads:
            return dict(zip(wanted, threads.map(read, wanted), strict=True))

    def _with_files(self, records: Sequence[ConversationRecord]) -> list[SelectedConversation]:
        with ThreadPoolExecutor(_PARALLEL_READS) as threads:
            return list(threads.map(self._with_file, records))

    def _with_file(self, record: ConversationRecord) -> SelectedConversation:
        stored = self.conversation_files.get(str(record.enriched_file_path))
        if stored is None:
            raise StorageError(
                "GetObject", f"the training pairs of '{record.conversation_id}' are missing"
            )
        return SelectedConversation(record, read_enriched(stored.text))


def _rejected(
    selection: ConversationSelection,
    records: Mapping[str, ConversationRecord | None],
    present: set[str],
) -> dict[str, list[Any]]:
    rejected: dict[str, list[Any]] = {reason: [] for reason in REASONS}
    times = Counter(selection.conversation_ids)
    rejected["repeated"] = [one for one, count in times.items() if count > 1]
    for conversation_id, record in records.items():
        reason = _rejection(record, selection.eligibility)
        if conversation_id in present:
            reason = "already_in_file"
        if reason == "severe_flags" and record:
            flagged = {"conversation_id": conversation_id, "flags": record.severe_flags}
            rejected[reason].append(flagged)
        elif reason:
            rejected[reason].append(conversation_id)
    return rejected


def _rejection(record: ConversationRecord | None, eligibility: Eligibility) -> str | None:
    if record is None:
        return "unknown"
    if record.status in {"rejected", "archived"}:
        return record.status
    if eligibility == "approved" and record.status != "approved":
        return "not_approved"
    if record.enrichment_status != "completed" or not record.enriched_file_path:
        return "not_enriched"
    return "severe_flags" if record.severe_flags and record.status != "approved" else None


def _refuse_duplicates(
    selected: Sequence[SelectedConversation], present: Sequence[V4Conversation]
) -> None:
    texts = {
        one.record.conversation_id: turn_texts(one.enriched["training_pairs"]) for one in selected
    }
    present_texts = {one.conversation_id: turn_texts(one.pairs) for one in present}
    found = find_duplicates(texts, present_texts)
    if found:
        raise _unfit({"duplicates": [asdict(one) for one in found]})


def _unfit(rejected: Mapping[str, list[Any]]) -> UnfitConversationsError:
    found = {reason: listed for reason, listed in rejected.items() if listed}
    reasons = "; ".join(f"{len(listed)} {REASONS[reason]}" for reason, listed in found.items())
    advice = "Remove them, or correct what details lists"
    if "severe_flags" in found:
        advice += "; approve what is flagged if it may be learned all the same"
    if "duplicates" in found:
        advice = "Remove one of each pair, or allow duplicates"
    return UnfitConversationsError(
        f"Not every conversation can go into the training file: {reasons}. {advice}.", details=found
    )


CONTENT_TYPES = {"json": "application/json", "jsonl": "application/x-ndjson"}


@dataclass(frozen=True, slots=True)
class TrainingFileBuilder:
    """Creates training files and adds versions to them.

    `new_attempt` returns a unique name for each attempt at a version, so that two concurrent
    attempts never write the same object.
    """

    files: TrainingFileRepository
    selector: ConversationSelector
    training_files: ObjectStore
    clock: Clock
    new_attempt: Callable[[], str] = new_attempt

    def create(
        self, owner_id: str, *, name: str, description: str, selection: ConversationSelection
    ) -> TrainingFile:
        """Create a file from a selection of conversations, as version 1.

        Raises DuplicateKeyError, UnfitConversationsError, TrainingFileFullError, StorageError.
        """
        if not self.files.name_is_free(owner_id, name):
            raise name_taken(name)
        selected = self.selector.select(owner_id, selection)
        now = self.clock()
        file_id = time_ordered_id(now)
        document = V4Document(name, [], consultant=selected[0].enriched["consultant_profile"])
        draft = _Draft(owner_id, file_id, 1, iso(now), iso(now))
        first, texts = self._store(draft, document, QualitySummary(), selected)
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
        with self._discarded_if_lost(owner_id, file_id, first):
            self.files.add(file)
        return file

    def add(self, owner_id: str, file_id: str, selection: ConversationSelection) -> TrainingFile:
        """Create the file's next version, with more conversations after the present ones.

        If another version is added concurrently, the addition is repeated once on that version.
        Raises NotFoundError, UnfitConversationsError, TrainingFileFullError, StorageError, and
        VersionConflictError if the repetition conflicts, too.
        """
        try:
            return self._add(owner_id, file_id, selection)
        except VersionConflictError:
            return self._add(owner_id, file_id, selection)

    def _add(self, owner_id: str, file_id: str, selection: ConversationSelection) -> TrainingFile:
        file = self.files.training_file(owner_id, file_id)
        if file.version >= MOST_VERSIONS:
            raise TrainingFileFullError(
                f"The training file '{file.name}' has {MOST_VERSIONS} versions, the maximum. "
                "Create a new file.",
                details=file.state(),
            )
        stored = self.training_files.get(file.newest.json_key)
        if stored is None:
            raise StorageError("GetObject", "the newest version of the training file is missing")
        document = read_training_json(stored.text)
        selected = self.selector.select(owner_id, selection, document.conversations)
        now = iso(self.clock())
        draft = _Draft(
            owner_id, file_id, file.version + 1, file.created_at, now, file.newest.simulated
        )
        added, texts = self._store(draft, document, file.newest.quality, selected)
        grown = file.grown(added, texts.scaffolding_distribution)
        with self._discarded_if_lost(owner_id, file_id, added):
            self.files.replace(grown, file.version)
        return grown

    def _discarded_if_lost(
        self, owner_id: str, file_id: str, version: TrainingFileVersion
    ) -> AbstractContextManager[None]:
        in_use = partial(self._stored_keys, owner_id, file_id)
        keys = (version.json_key, version.jsonl_key)
        return discarded_if_lost(self.training_files, in_use, *keys)

    def _stored_keys(self, owner_id: str, file_id: str) -> frozenset[str]:
        try:
            stored = self.files.training_file(owner_id, file_id)
        except NotFoundError:
            return frozenset()
        return frozenset(key for one in stored.versions for key in (one.json_key, one.jsonl_key))

    def _store(
        self,
        draft: _Draft,
        document: V4Document,
        quality: QualitySummary,
        selected: Sequence[SelectedConversation],
    ) -> tuple[TrainingFileVersion, TrainingTexts]:
        for one in selected:
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
            added_conversations=len(selected),
            total_training_pairs=texts.total_training_pairs,
            trainable_pairs=texts.trainable_pairs,
            quality=quality,
            simulated=draft.simulated or any(one.record.simulated for one in selected),
        )
        return version, texts

    def _put(
        self, draft: _Draft, attempt: str, file_format: FileFormat, text: str
    ) -> dict[str, Any]:
        """Store one of the two objects; returns its key, size and hash as fields of the version."""
        key = object_keys.training_file(draft.file_id, draft.version, attempt, file_format)
        size = self.training_files.put(key, text, content_type=CONTENT_TYPES[file_format])
        return {
            f"{file_format}_key": key,
            f"{file_format}_file_size": size,
            f"{file_format}_sha256": hashlib.sha256(text.encode()).hexdigest(),
        }


@dataclass(frozen=True, slots=True)
class _Draft:
    """A version that is being built; `simulated` is that of the version before it."""

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
            f"The training file '{name}' would have {size} bytes, more than the {MOST_BYTES} "
            "allowed. Select fewer conversations, or create a new file.",
            details={"bytes": size, "most_bytes": MOST_BYTES},
        )
