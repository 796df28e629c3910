"""Selects the conversations of a training file, and tells why others cannot be in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from brightrun.aws.objects import ObjectStore
from brightrun.conversations.digests import ConversationDigest, ConversationFilter
from brightrun.conversations.enrichment.model import read_enriched
from brightrun.conversations.model import ConversationRecord
from brightrun.core.errors import (
    InvalidInputError,
    NotFoundError,
    StorageError,
    TooManyConversationsError,
    UnfitConversationsError,
)
from brightrun.training_files.model import MOST_CONVERSATIONS, Eligibility

_PARALLEL_READS = 16
"""Concurrent reads of conversations, each one or two AWS calls of about 20 ms."""
_LISTED = 100
"""Conversations that an answer names for each reason; all are counted."""
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
class ConversationSelection:
    """The conversations that a caller requests for a file, and the conditions on them.

    Either ids, in the order that the file has, or a filter, whose matches come oldest first. A
    `strict` selection is refused if any of them is not eligible; else those are left out. None
    means strict with ids, whose caller chose each of them.
    """

    conversation_ids: Sequence[str] = ()
    eligibility: Eligibility = "enriched"
    allow_duplicates: bool = False
    where: ConversationFilter | None = None
    strict: bool | None = None

    @property
    def is_strict(self) -> bool:
        """Whether the selection is refused if any conversation is not eligible."""
        return self.where is None if self.strict is None else self.strict


@dataclass(slots=True)
class LeftOut:
    """The conversations of a selection that are not eligible, by reason."""

    counts: dict[str, int] = field(default_factory=dict)
    listed: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, reason: str, conversation: Any) -> None:
        """Count a conversation, and list it among the first of its reason."""
        self.counts[reason] = self.counts.get(reason, 0) + 1
        listed = self.listed.setdefault(reason, [])
        if len(listed) < _LISTED:
            listed.append(conversation)

    def in_order(self) -> dict[str, int]:
        """The counts of the reasons that occurred, in the order of REASONS."""
        return {reason: self.counts[reason] for reason in REASONS if reason in self.counts}

    def error(self, *, eligible: int) -> UnfitConversationsError:
        """The refusal of a selection, with the listed conversations in its details."""
        counts = self.in_order()
        reasons = "; ".join(f"{count:,} {REASONS[reason]}" for reason, count in counts.items())
        advice = "Remove them, or correct what details lists"
        if "severe_flags" in counts:
            advice += "; approve what is flagged if it may be learned all the same"
        if "duplicates" in counts:
            advice += "; remove one of each pair, or allow duplicates"
        return UnfitConversationsError(
            f"{'Not every' if eligible else 'No'} conversation can go into the training file: "
            f"{reasons}. {advice}.",
            details={reason: self.listed[reason] for reason in counts},
        )


@dataclass(frozen=True, slots=True)
class SelectedConversation:
    """A conversation's record with its enriched file."""

    record: ConversationRecord
    enriched: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ineligible:
    """A conversation that cannot be in the file; `listed` is how details show it."""

    reason: str
    listed: Any


@dataclass(frozen=True, slots=True)
class SelectionPreview:
    """What a part of a selection would give, texts not compared; `following` is its end's position.

    `following` is None at the end of the selection.
    """

    selected: int
    checked: int
    eligible: int
    left_out: LeftOut
    following: int | None


@dataclass(frozen=True, slots=True)
class ConversationSelector:
    """Finds, reads and checks the conversations of a selection.

    `conversation` reads a row by owner and id, and raises NotFoundError; `matching` lists all
    conversations of an owner that pass a filter, newest first.
    """

    conversation: Callable[[str, str], ConversationRecord]
    conversation_files: ObjectStore
    matching: Callable[[str, ConversationFilter], Sequence[ConversationDigest]]

    def ids(self, owner_id: str, selection: ConversationSelection) -> list[str]:
        """The ids of a selection, in the order that the file has; some may be repeated.

        Raises InvalidInputError if nothing matches the filter, TooManyConversationsError above
        MOST_CONVERSATIONS, StorageError.
        """
        ids = list(selection.conversation_ids)
        if selection.where is not None:
            matches = self.matching(owner_id, selection.where)
            ids = [one.conversation_id for one in reversed(matches)]
        if not ids:
            raise InvalidInputError.of_field("filter", "No conversation matches it.")
        if len(ids) > MOST_CONVERSATIONS:
            raise TooManyConversationsError(
                f"{len(ids):,} conversations match, and a training file holds at most "
                f"{MOST_CONVERSATIONS:,}. Narrow the filter, and make several files.",
                details={"most": MOST_CONVERSATIONS, "matching": len(ids)},
            )
        return ids

    def preview(
        self, owner_id: str, selection: ConversationSelection, start: int, limit: int
    ) -> SelectionPreview:
        """Check up to `limit` conversations from a position on; raises as `ids` does."""
        ids = self.ids(owner_id, selection)
        left_out = LeftOut()
        distinct = without_repeated(ids, left_out if start == 0 else LeftOut())
        checked = distinct[start : start + limit]
        records = self._parallel(lambda one: self._record(owner_id, one), checked)
        eligible = 0
        for conversation_id, record in zip(checked, records, strict=True):
            if found := _ineligible(conversation_id, record, selection.eligibility):
                left_out.add(found.reason, found.listed)
            else:
                eligible += 1
        end = start + len(checked)
        following = end if end < len(distinct) else None
        return SelectionPreview(len(ids), len(checked), eligible, left_out, following)

    def read(
        self, owner_id: str, conversation_ids: Sequence[str], eligibility: Eligibility
    ) -> list[SelectedConversation | Ineligible]:
        """Read conversations with their files, or why they cannot be in a training file.

        All are in memory together. Raises StorageError.
        """

        def read(conversation_id: str) -> SelectedConversation | Ineligible:
            record = self._record(owner_id, conversation_id)
            found = _ineligible(conversation_id, record, eligibility)
            return found or self._with_file(record)  # type: ignore[arg-type]

        return self._parallel(read, conversation_ids)

    def training_pairs(self, owner_id: str, conversation_id: str) -> list[dict[str, Any]] | None:
        """The pairs of an enriched conversation, whatever its review says; None without any.

        Raises StorageError.
        """
        record = self._record(owner_id, conversation_id)
        if record is None or not record.enriched_file_path:
            return None
        stored = self.conversation_files.get(record.enriched_file_path)
        if stored is None:
            return None
        pairs: list[dict[str, Any]] = read_enriched(stored.text)["training_pairs"]
        return pairs

    @staticmethod
    def _parallel(read: Callable[[str], Any], conversation_ids: Sequence[str]) -> list[Any]:
        with ThreadPoolExecutor(_PARALLEL_READS) as threads:
            return list(threads.map(read, conversation_ids))

    def _record(self, owner_id: str, conversation_id: str) -> ConversationRecord | None:
        try:
            return self.conversation(owner_id, conversation_id)
        except NotFoundError:
            return None

    def _with_file(self, record: ConversationRecord) -> SelectedConversation:
        stored = self.conversation_files.get(str(record.enriched_file_path))
        if stored is None:
            raise StorageError(
                "GetObject", f"the training pairs of '{record.conversation_id}' are missing"
            )
        return SelectedConversation(record, read_enriched(stored.text))


def without_repeated(conversation_ids: Sequence[str], left_out: LeftOut) -> list[str]:
    """The ids, each once; the repeated ones are noted."""
    times = Counter(conversation_ids)
    for conversation_id, count in times.items():
        if count > 1:
            left_out.add("repeated", conversation_id)
    return list(times)


def _ineligible(
    conversation_id: str, record: ConversationRecord | None, eligibility: Eligibility
) -> Ineligible | None:
    reason = _rejection(record, eligibility)
    if reason is None:
        return None
    if reason == "severe_flags" and record is not None:
        flagged = {"conversation_id": conversation_id, "flags": record.severe_flags}
        return Ineligible(reason, flagged)
    return Ineligible(reason, conversation_id)


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


def dump_selection(selection: ConversationSelection, conversation_ids: Sequence[str]) -> str:
    """A selection as JSON, its filter resolved to ids."""
    values = asdict(selection) | {"conversation_ids": list(conversation_ids), "where": None}
    return json.dumps(values | {"strict": selection.is_strict})


def load_selection(text: str) -> ConversationSelection:
    """The selection that `dump_selection` wrote."""
    values: Mapping[str, Any] = json.loads(text)
    return ConversationSelection(**values)
