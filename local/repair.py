"""Makes a damaged data folder readable again: sets aside what is damaged and keeps the rest."""

import json
from collections.abc import Iterator
from pathlib import Path

from local.durability.files import replacing, set_torn_line_aside
from local.errors import LocalError
from local.instance import InstanceLock
from local.settings import DataFolder


class RepairFailed(LocalError):
    """What is damaged cannot be set aside: nothing would be left."""


def repair(folder: DataFolder) -> list[str]:
    """Set aside what cannot be read; returns a sentence for each file that was damaged.

    Journals lose only their damaged lines; of two entries that ran into each other the second is
    kept. Damaged records of executions, uploads and training jobs are set aside whole. Raises
    AlreadyRunning, DiskFull, and RepairFailed for a damaged snapshot.
    """
    if not folder.holds_data:
        raise RepairFailed(f"There is nothing to repair: {folder.root} holds no data.")
    with InstanceLock(folder.lock):
        if folder.snapshot.exists() and not _is_json(folder.snapshot):
            raise RepairFailed(
                f"{folder.snapshot} is damaged, and nothing else says which tables there are:"
                " restore a backup with `make restore FILE=...`."
            )
        reports = [*map(_repair_journal, _journals(folder)), *map(_set_aside, _records(folder))]
        return [report for report in reports if report]


def _journals(folder: DataFolder) -> Iterator[Path]:
    if folder.items.exists():
        yield folder.items
    yield from sorted(folder.executions.glob("*.jsonl"))


def _records(folder: DataFolder) -> Iterator[Path]:
    yield from sorted(folder.executions.glob("*.json"))
    yield from sorted(folder.uploads.glob("*/*.json"))
    yield from sorted(folder.training.glob("*/job.json"))


def _repair_journal(path: Path) -> str | None:
    torn = set_torn_line_aside(path)
    lines = path.read_bytes().splitlines(keepends=True)
    damaged = [line for line in lines if not _parses(line)]
    if not damaged:
        return f"{path}: a torn last line was moved to {torn}." if torn else None
    aside = path.with_name(f"{path.name}.damaged")
    with replacing(aside) as kept:
        kept.write((aside.read_bytes() if aside.exists() else b"") + b"".join(damaged))
    whole = [line if _parses(line) else _entry_at_the_end(line) for line in lines]
    with replacing(path) as file:
        file.writelines(whole)
    recovered = sum(bool(_entry_at_the_end(line)) for line in damaged)
    return (
        f"{path}: {len(damaged)} of {len(lines)} lines were damaged and are kept in {aside};"
        f" {recovered} whole entries within them were recovered."
    )


def _entry_at_the_end(line: bytes) -> bytes:
    """Return the whole entry that follows a half-written one; nothing when there is none."""
    opening = b'[["' if line.startswith(b"[") else b'{"id":'
    start = line.find(opening, 1)
    while start > 0:
        if _parses(line[start:]):
            return line[start:]
        start = line.find(opening, start + 1)
    return b""


def _set_aside(path: Path) -> str | None:
    if _is_json(path):
        return None
    aside = path.with_name(f"{path.name}.damaged")
    path.replace(aside)
    return f"{path} was damaged and is now {aside}."


def _is_json(path: Path) -> bool:
    return _parses(path.read_bytes())


def _parses(content: bytes) -> bool:
    try:
        json.loads(content)
    except ValueError:
        return False
    return True
