"""The digests of every owner's conversations in memory, kept current from the table's changes.

Lists, searches, statistics and selections are answered from here, so that none of them reads what
is stored: a request reads what changed since the last one. What a new process would have to read is
kept in a snapshot, an object that holds nothing but what the changes said (ADR 68).
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn

from brightrun.aws.objects import ObjectStore
from brightrun.conversations.digests import Change, ConversationDigest, OwnerDigests
from brightrun.conversations.repository import TOMBSTONES_KEPT, ConversationRepository
from brightrun.core import object_keys
from brightrun.core.errors import StorageError
from brightrun.core.logging import logger
from brightrun.core.timestamps import Clock, from_iso, iso

OVERLAP = timedelta(seconds=5)
"""Every read begins so long before the last one: clocks differ, a write is committed some moments
after its `updated_at` was taken, and the index lags."""
LATEST = timedelta(seconds=60)
"""The longest that a write takes from its `updated_at` to its commit: ten tries of a transaction,
or a call that times out three times."""
CHECKED_EVERY = timedelta(seconds=60)
"""How often a read begins LATEST before the last one that did, to find what was committed late."""
MOST_READING = timedelta(seconds=12)
"""How long one request reads changes; API Gateway waits for 29 s."""
MOST_UNSAVED = 1000
"""Changes beyond the snapshot that a new process reads: less than one page of the index."""
SAVED_EVERY = timedelta(days=1)
"""How long the snapshot may go on naming what was deleted, when the owner's lists are read."""
MOST_AGE = TOMBSTONES_KEPT - timedelta(days=5)
"""An older state may lack deletions whose tombstones are gone."""
MOST_DIGESTS = 200_000
"""Digests that a process holds, about 0.6 KB each."""


@dataclass(slots=True)
class _Held:
    """An owner's digests: read up to `read_at`, and without gaps up to LATEST before `checked_at`.

    `saved_at` is when the snapshot was written, `unsaved` counts the changes beyond it.
    """

    digests: OwnerDigests
    checked_at: datetime | None = None
    read_at: datetime | None = None
    saved_at: datetime | None = None
    unsaved: int = 0


class ConversationIndex:
    """Reads the digests of owners; holds those that were read last, MOST_DIGESTS together."""

    def __init__(
        self, conversations: ConversationRepository, snapshots: ObjectStore, clock: Clock
    ) -> None:
        self._conversations = conversations
        self._snapshots = snapshots
        self._clock = clock
        self._held: OrderedDict[str, _Held] = OrderedDict()

    def digests(self, owner_id: str) -> OwnerDigests:
        """Read an owner's digests, current but for the lag of the index; raises StorageError."""
        now = self._clock()
        held = self._held.get(owner_id)
        if held is None or _is_old(held, now):
            held = self._restored(owner_id, now)
        fresh = self._read_changes(owner_id, held, now)
        self._keep(owner_id, held)
        if _is_due(held, fresh, now):
            self._save(owner_id, held, now)
        return held.digests

    def _read_changes(self, owner_id: str, held: _Held, now: datetime) -> int:
        """Apply what was written since the last read; returns how many changes were new."""
        since, checked = _since(held, now)
        fresh = 0
        for page in self._conversations.changes(owner_id, iso(since) if since else None):
            fresh += held.digests.apply(page)
            if self._clock() - now > MOST_READING:
                self._go_on_later(owner_id, held, page, now)
        held.read_at = now
        if checked:
            held.checked_at = now
        held.unsaved += fresh
        return fresh

    def _go_on_later(
        self, owner_id: str, held: _Held, page: Sequence[Change], now: datetime
    ) -> NoReturn:
        """Save how far the changes were read, oldest first; the next request goes on from there."""
        read_to = [one.updated_at for one in page if isinstance(one, ConversationDigest)]
        if read_to:
            held.checked_at, held.read_at = from_iso(read_to[-1]) + LATEST, None
            self._keep(owner_id, held)
            self._save(owner_id, held, now)
        raise StorageError("Query", "very much has changed since the last list; ask again")

    def _keep(self, owner_id: str, held: _Held) -> None:
        self._held[owner_id] = held
        self._held.move_to_end(owner_id)
        while len(self._held) > 1 and self._size() > MOST_DIGESTS:
            self._held.popitem(last=False)

    def _size(self) -> int:
        return sum(len(one.digests) for one in self._held.values())

    def _restored(self, owner_id: str, now: datetime) -> _Held:
        stored = self._snapshots.get(object_keys.conversation_snapshot(owner_id))
        held = _read_snapshot(stored.text) if stored else None
        return _Held(OwnerDigests()) if held is None or _is_old(held, now) else held

    def _save(self, owner_id: str, held: _Held, now: datetime) -> None:
        """Write the snapshot; a list does not fail because that failed."""
        text = _snapshot(held.digests.all(), held.checked_at or now, now)
        key = object_keys.conversation_snapshot(owner_id)
        try:
            self._snapshots.put(key, text, content_type="application/json")
        except StorageError as error:
            logger().warning("snapshot_not_saved", code=error.code)
            return
        held.saved_at, held.unsaved = now, 0


def _since(held: _Held, now: datetime) -> tuple[datetime | None, bool]:
    """When the next read begins, None for everything, and whether it looks for late commits."""
    if held.checked_at is None:
        return None, True
    if held.read_at is None or now - held.checked_at >= CHECKED_EVERY:
        return min(held.checked_at, now) - LATEST, True
    return min(held.read_at, now) - OVERLAP, False


def _is_old(held: _Held, now: datetime) -> bool:
    last_read = held.read_at or held.saved_at
    return last_read is not None and now - last_read > MOST_AGE


def _is_due(held: _Held, fresh: int, now: datetime) -> bool:
    """Whether to write the snapshot: seldom while a batch goes on, since it takes a moment."""
    if held.saved_at is not None and held.unsaved and now - held.saved_at > SAVED_EVERY:
        return True
    changing = 0 < fresh < held.unsaved
    return held.unsaved > (10 if changing else 1) * MOST_UNSAVED


_FORMAT = 1


def _snapshot(
    digests: Iterable[ConversationDigest], checked_at: datetime, saved_at: datetime
) -> str:
    """The digests by columns: a value that recurs is written once, which halves size and memory."""
    columns = zip(*digests, strict=True)
    return json.dumps(
        {
            "format": _FORMAT,
            "checked_at": iso(checked_at),
            "saved_at": iso(saved_at),
            "columns": dict(zip(ConversationDigest._fields, map(_packed, columns), strict=False)),
        },
        separators=(",", ":"),
        ensure_ascii=False,
    )


def _read_snapshot(text: str) -> _Held | None:
    """The state that was saved; None for what another version of the code wrote."""
    try:
        saved = json.loads(text)
        columns = saved["columns"]
        if saved["format"] != _FORMAT or (columns and tuple(columns) != ConversationDigest._fields):
            return None
        rows = zip(*map(_unpacked, columns.values()), strict=True)
        return _Held(
            OwnerDigests(map(ConversationDigest._make, rows)),
            checked_at=from_iso(saved["checked_at"]),
            saved_at=from_iso(saved["saved_at"]),
        )
    except (ValueError, LookupError, TypeError, AttributeError):
        logger().warning("snapshot_unreadable")
        return None


def _packed(column: tuple[Any, ...]) -> Any:
    numbers = {value: number for number, value in enumerate(dict.fromkeys(column))}
    return {"values": list(numbers), "rows": [numbers[value] for value in column]}


def _unpacked(column: Any) -> list[Any]:
    # JSON has no tuples: flags are lists in it.
    values = [tuple(one) if isinstance(one, list) else one for one in column["values"]]
    return [values[number] for number in column["rows"]]
