"""Finds the objects of a bucket that no row points to, and removes them.

Writers that lose remove their own objects. Left are those of a writer that was killed between its
object and its row, and what is uploaded by a link after a deletion.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, islice
from typing import Any, Generic, NamedTuple, TypeVar

from brightrun.aws.objects import ListedObject, ObjectStore
from brightrun.core.logging import logger
from brightrun.core.timestamps import Clock

_TOGETHER = 64  # owners of objects that are looked up at once
_CONCURRENCY = 8
_HEX = "0123456789abcdef"

Owner = TypeVar("Owner", bound=Hashable)


class Swept(NamedTuple):
    """What a sweep looked at, what it removed, and whether it came to the end of the bucket."""

    objects: int = 0
    removed: int = 0
    finished: bool = True


class Everything(Container[str]):
    """Holds every key: nothing of its owner is removed."""

    def __contains__(self, _key: object) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class OrphanSweep(Generic[Owner]):
    """Removes what is older than `kept_for` says of its key, and not among what its owner keeps.

    `owner_of` tells of a key whose it is, None for what is to be left alone; `kept_by` looks up
    what an owner's row points to.
    """

    store: ObjectStore
    owner_of: Callable[[str], Owner | None]
    kept_by: Callable[[Owner], Container[str]]
    kept_for: Callable[[str], timedelta]

    def sweep(self, now: datetime, is_late: Callable[[], bool]) -> Swept:
        """Sweep the bucket, or as much of it as there is time for.

        Begins at another sixteenth of the keys each day, so that in a bucket that is too large for
        one sweep every object gets its turn. Raises StorageError.
        """
        seen = removed = 0
        with ThreadPoolExecutor(_CONCURRENCY) as threads:
            groups = groupby(self._objects(now), key=lambda one: self.owner_of(one.key))
            old = ((owner, self._old(found, now)) for owner, found in groups)
            while together := [(owner, list(keys)) for owner, keys in islice(old, _TOGETHER)]:
                seen += sum(len(keys) for _, keys in together)
                removed += sum(threads.map(lambda one: self._remove(*one), together))
                if is_late():
                    return Swept(seen, removed, finished=False)
        return Swept(seen, removed)

    def _objects(self, now: datetime) -> Iterator[ListedObject]:
        start = _HEX[now.timetuple().tm_yday % len(_HEX)]
        yield from self.store.listed(after=start)
        for one in self.store.listed():
            if one.key > start:
                return
            yield one

    def _old(self, found: Iterable[ListedObject], now: datetime) -> Iterator[str]:
        return (one.key for one in found if one.stored_at < now - self.kept_for(one.key))

    def _remove(self, owner: Owner | None, keys: list[str]) -> int:
        if owner is None or not keys:
            return 0
        kept = self.kept_by(owner)
        lost = [key for key in keys if key not in kept]
        for key in lost:
            self.store.remove(key)
        return len(lost)


_LEAST_LEFT_S = 60.0
"""What the objects that are looked up together may take."""


@dataclass(frozen=True, slots=True)
class ObjectSweeper:
    """The service of the sweep_objects function: one sweep for each bucket, by its name."""

    sweeps: Mapping[str, OrphanSweep[Any]]
    clock: Clock

    def sweep(self, seconds_left: Callable[[], float]) -> dict[str, Swept]:
        """Sweep every bucket as long as there is time; raises StorageError."""
        done = {
            name: sweep.sweep(self.clock(), lambda: seconds_left() < _LEAST_LEFT_S)
            for name, sweep in self.sweeps.items()
        }
        for name, swept in done.items():
            logger().info("objects_swept", bucket=name, **swept._asdict())
        return done
