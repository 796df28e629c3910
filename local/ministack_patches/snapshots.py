"""Keeps the state of all services in one snapshot file.

Reason: ministack writes one file per service, and only at a clean stop; a kill in between would
leave services that contradict each other.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.durability.snapshot import SnapshotFile

States = dict[str, Callable[[], Any]]


def open_snapshot(path: Path, secrets: tuple[str, ...]) -> SnapshotFile:
    """Return the snapshot file at ``path``, read with ministack's own encoding."""
    from ministack.core import persistence

    return SnapshotFile(
        path,
        encode=persistence._json_default,
        decode=persistence._json_object_hook,
        secrets=secrets,
    )


def install(snapshot: SnapshotFile) -> None:
    """Let ministack load its services from the snapshot; saving is the engine's business."""
    from ministack import app

    app.load_state = snapshot.state_of
    app.save_all = _save_nothing


def serialize(snapshot: SnapshotFile, extra: dict[str, Any]) -> bytes:
    """Return the bytes of a snapshot of every service in use, with the engine's own records."""
    from ministack import app

    states = {name: state() for name, state in app._build_persistence_save_dict().items()}
    kept = {name: state for name, state in states.items() if state is not None}
    return snapshot.serialize({**kept, **extra})


def _save_nothing(_services: States) -> None:
    """Do nothing: the engine takes the last snapshot itself."""
