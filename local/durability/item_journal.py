"""The journal of table items: what each write left behind, not the request that caused it.

Effects can be applied again without harm and in one line per request, so a transaction is in the
journal whole or not at all. A compaction replaces the journal by one line per live item.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from local.durability.files import LineJournal, read_lines, replacing
from local.durability.room import DiskFull

_log = logging.getLogger(__name__)

Effect = list[Any]
"""``["put", table id, item]`` or ``["delete", table id, partition key, sort key]``."""

_SLACK = 20_000
"""Dead effects that are always tolerated; keeps small journals from being compacted."""


class ItemJournal:
    """Appends effects, replays them at a start, and compacts itself when most are dead.

    ``live_items`` yields the table id and the item of everything stored now.
    """

    def __init__(
        self, path: Path, live_items: Callable[[], Iterable[tuple[str, dict[str, Any]]]]
    ) -> None:
        self._path = path
        self._live_items = live_items
        self._effects = 0
        self._most_effects = _SLACK
        self._journal: LineJournal | None = None
        self._lock = threading.Lock()

    def replay(self, apply: Callable[[Effect], None]) -> None:
        """Apply every effect in the order it was written, then open the journal for appending."""
        for effects in read_lines(self._path):
            for effect in effects:
                apply(effect)
            self._effects += len(effects)
        self._journal = LineJournal(self._path)
        self._compact_when_worthwhile()

    def append(self, effects: list[Effect]) -> None:
        """Append the effects of one request as one line; raises DiskFull and keeps none then."""
        with self._lock:
            if self._journal is None:
                raise RuntimeError("ItemJournal.append before replay")
            self._journal.append(effects)
            self._effects += len(effects)
            self._compact_when_worthwhile()

    def close(self) -> None:
        """Close the journal."""
        if self._journal is not None:
            self._journal.close()

    def _compact_when_worthwhile(self) -> None:
        if self._effects <= self._most_effects:
            return
        try:
            self._compact()
        except DiskFull as full:  # the journal is whole as it is; try again much later
            self._most_effects = self._effects + _SLACK
            _log.warning("The journal of items could not be shortened. %s", full)

    def _compact(self) -> None:
        count = 0
        with replacing(self._path) as file:
            for table_id, item in self._live_items():
                line = json.dumps([["put", table_id, item]], separators=(",", ":"))
                file.write(line.encode() + b"\n")
                count += 1
        self.close()
        self._journal = LineJournal(self._path)
        self._effects = count
        self._most_effects = 3 * count + _SLACK
