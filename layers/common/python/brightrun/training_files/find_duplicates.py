"""Finds conversations with the same text, by the rule of training files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from brightrun.training_files.diversity import Diversity, evenly_spaced, measure
from brightrun.training_files.document import turn_texts
from brightrun.training_files.duplicates import Duplicate, DuplicateIndex
from brightrun.training_files.selection import ConversationSelection, ConversationSelector

MOST_COMPARED = 500
"""Conversations of one request: two AWS calls of about 20 ms each, and their texts in memory."""
_PARALLEL_READS = 16


@dataclass(frozen=True, slots=True)
class ComparedConversations:
    """The duplicates among `compared` conversations, and those that have no text to compare."""

    compared: int
    duplicates: Sequence[Duplicate]
    not_enriched: Sequence[str]


@dataclass(frozen=True, slots=True)
class MeasuredDiversity:
    """The figures of a sample of the `matching` conversations, and what has no text to measure."""

    matching: int
    diversity: Diversity
    not_enriched: int


@dataclass(frozen=True, slots=True)
class DuplicateFinder:
    """Compares the turns of enriched conversations."""

    selector: ConversationSelector

    def find(self, owner_id: str, conversation_ids: Sequence[str]) -> ComparedConversations:
        """Compare up to MOST_COMPARED conversations with one another, in the given order.

        One that does not exist or is not enriched is listed as not enriched. Raises StorageError.
        """
        known, missing = self._read(owner_id, list(dict.fromkeys(conversation_ids)))
        return ComparedConversations(len(known), _duplicates(known), missing)

    def diversity(self, owner_id: str, selection: ConversationSelection) -> MeasuredDiversity:
        """Measure at most MOST_COMPARED of the conversations that a filter finds, evenly spaced.

        Raises as `ConversationSelector.ids` does.
        """
        ids = self.selector.ids(owner_id, selection)
        known, missing = self._read(owner_id, evenly_spaced(ids, MOST_COMPARED))
        return MeasuredDiversity(len(ids), measure(known), len(missing))

    def _read(
        self, owner_id: str, wanted: Sequence[str]
    ) -> tuple[dict[str, tuple[str, ...]], list[str]]:
        """The texts of conversations, and the ids of those that have none."""
        with ThreadPoolExecutor(_PARALLEL_READS) as threads:
            read = threads.map(lambda one: self._texts(owner_id, one), wanted)
            texts = dict(zip(wanted, read, strict=True))
        known = {one: turns for one, turns in texts.items() if turns is not None}
        return known, [one for one, turns in texts.items() if turns is None]

    def _texts(self, owner_id: str, conversation_id: str) -> tuple[str, ...] | None:
        pairs = self.selector.training_pairs(owner_id, conversation_id)
        return None if pairs is None else turn_texts(pairs)


def _duplicates(texts: Mapping[str, Sequence[str]]) -> list[Duplicate]:
    """Compare each conversation with those before it."""
    index = DuplicateIndex()
    found = []
    for conversation_id, turns in texts.items():
        if duplicate := index.closest(conversation_id, turns):
            found.append(duplicate)
        index.add(conversation_id, turns)
    return found
