"""Makes preference data of edited answers: what a person wrote is chosen over what was there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

from brightrun.core.errors import NotFoundError
from brightrun.core.payloads import bytes_within_payload
from brightrun.formats import compact, preference_record
from brightrun.training_files.selection import ConversationSelection, ConversationSelector

MOST_EXAMINED = 256
"""Conversations of one request: a row each, and of those with edits some files, at 20 ms a read."""
MOST_BYTES = 4 * 1024 * 1024
"""Of the records in one answer, which Lambda limits to 6 MB, as they are sent."""
_AT_ONCE = 32
"""Conversations read together, and so in memory: a file has some 20 KB, at most some megabytes."""
Omission = Literal["unknown", "not_enriched", "file_missing", "too_large"]


@dataclass(frozen=True, slots=True)
class OmittedConversation:
    """An edited conversation that gives no record, and why."""

    conversation_id: str
    reason: Omission


@dataclass(slots=True)
class PreferencePage:
    """The preference records of a part of a selection; `following` is where the next part begins.

    Of `selected` conversations `examined` were looked at. `following` is None at the end.
    """

    selected: int
    examined: int = 0
    records: list[dict[str, Any]] = field(default_factory=list)
    omitted: list[OmittedConversation] = field(default_factory=list)
    following: int | None = None


@dataclass(frozen=True, slots=True)
class PreferenceExporter:
    """Compares edited conversations with the versions that their edits kept."""

    selector: ConversationSelector

    def page(self, owner_id: str, selection: ConversationSelection, start: int) -> PreferencePage:
        """Compare up to MOST_EXAMINED conversations, and give up to MOST_BYTES of records.

        A turn gives one record, however often it was edited: its first text is rejected, the
        present one chosen. Turns of the client give none, nor does an edit of white space. Raises
        as `ConversationSelector.ids` does.
        """
        ids = list(dict.fromkeys(self.selector.ids(owner_id, selection)))
        page, size = PreferencePage(len(ids)), 0
        wanted = ids[start : start + MOST_EXAMINED]
        for conversation_id, found in self._read(owner_id, wanted):
            if isinstance(found, str):
                page.omitted.append(OmittedConversation(conversation_id, found))
            elif (added := _size(found)) > MOST_BYTES:
                page.omitted.append(OmittedConversation(conversation_id, "too_large"))
            elif size + added > MOST_BYTES:
                break
            else:
                page.records += found
                size += added
            page.examined += 1
        end = start + page.examined
        page.following = end if end < len(ids) else None
        return page

    def _read(
        self, owner_id: str, ids: Sequence[str]
    ) -> Iterator[tuple[str, list[dict[str, Any]] | Omission]]:
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for at in range(0, len(ids), _AT_ONCE):
                part = ids[at : at + _AT_ONCE]
                yield from zip(
                    part, threads.map(lambda one: self._records(owner_id, one), part), strict=True
                )

    def _records(self, owner_id: str, conversation_id: str) -> list[dict[str, Any]] | Omission:
        """The records of one conversation, in the order of its turns."""
        try:
            record = self.selector.conversation(owner_id, conversation_id)
        except NotFoundError:
            return "unknown"
        edits = _edits_by_turn(record.revisions)
        if not edits:
            return []
        pairs = self.selector.training_pairs(owner_id, conversation_id)
        if pairs is None:
            return "not_enriched"
        found = []
        for pair in pairs:
            revisions = edits.get(pair["turn_number"])
            if revisions is None or pair["target_response"] is None:
                continue
            kept = self.selector.conversation_files.get(revisions[0]["file_path"])
            if kept is None:
                return "file_missing"
            about = {
                "conversation_id": conversation_id,
                "review_status": record.status,
                "model": record.model,
                "simulated": record.simulated,
            }
            found += _compared(pair, json.loads(kept.text)["turns"], revisions, about)
        return found


def _size(records: Sequence[Mapping[str, Any]]) -> int:
    return sum(bytes_within_payload(compact(one)) for one in records)


def _edits_by_turn(revisions: Sequence[Mapping[str, Any]]) -> dict[int, list[Mapping[str, Any]]]:
    """The edits of each turn, oldest first."""
    edits: dict[int, list[Mapping[str, Any]]] = {}
    for revision in revisions:
        edits.setdefault(int(revision["turn_number"]), []).append(revision)
    return edits


def _compared(
    pair: Mapping[str, Any],
    earlier: Sequence[Mapping[str, Any]],
    revisions: Sequence[Mapping[str, Any]],
    about: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """The record of a turn, whose text before its first edit is among the turns of `earlier`."""
    number = pair["turn_number"]
    chosen, rejected = pair["target_response"], earlier[number - 1]["content"]
    if chosen.split() == rejected.split():
        return []
    history = [(one["role"], one["content"]) for one in pair["conversation_history"]]
    asked = [*history, ("user", pair["current_user_input"])]
    system = [("system", pair["system_prompt"])] if pair["system_prompt"] else []
    prompt = [{"role": role, "content": text} for role, text in (*system, *asked)]
    answered = [(one["role"], one["content"]) for one in earlier[: number - 1]]
    last = revisions[-1]
    metadata = {
        **about,
        "turn_number": number,
        "edits": len(revisions),
        **{name: last[name] for name in ("edited_by", "edited_at", "reason")},
        "prompt_edited": answered != asked,
    }
    return [preference_record(prompt, chosen, rejected, metadata)]
