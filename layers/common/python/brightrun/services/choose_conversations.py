"""Reads the conversations that shall go into a training file, and says which of them cannot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from brightrun.domain.conversation_record import ConversationRecord
from brightrun.domain.duplicates import duplicates_among
from brightrun.domain.enriched_document import read_enriched
from brightrun.domain.training_document import spoken_texts
from brightrun.domain.training_file import Eligibility
from brightrun.errors import NotFoundError, StorageError, UnfitConversationsError
from brightrun.formats.v4_files import V4Conversation
from brightrun.ports import ConversationReads, ObjectStore

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
