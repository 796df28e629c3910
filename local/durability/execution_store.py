"""Executions of state machines on disk: a record each, and a journal of its events."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.durability.files import LineJournal, read_document, read_lines, write_atomically
from local.durability.room import naming_a_full_disk

Execution = dict[str, Any]

HISTORY_BUDGET_BYTES = 64 * 1024 * 1024
"""Room for the histories of finished executions; the oldest executions go first."""


class StoredHistory:
    """The events of a finished execution, read from disk on access."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return read_lines(self._path)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class ExecutionStore:
    """Writes records and events at once; keeps finished executions within a byte budget.

    What writes raises DiskFull, and then nothing was written.
    """

    def __init__(self, folder: Path, *, budget_bytes: int = HISTORY_BUDGET_BYTES) -> None:
        self._folder = folder
        self._budget_bytes = budget_bytes
        self._journals: dict[str, LineJournal] = {}
        self._finished: dict[str, int] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, execution: Execution) -> None:
        """Write an execution's record: everything but its events."""
        record = {name: value for name, value in execution.items() if name != "events"}
        content = json.dumps(record).encode()
        write_atomically(self._file(execution["executionArn"], "json"), content)

    def append(self, arn: str, event: dict[str, Any]) -> None:
        """Append one event to an execution's history."""
        journal = self._journals.get(arn)
        if journal is None:
            path = self._file(arn, "jsonl")
            with naming_a_full_disk(path):
                journal = self._journals.setdefault(arn, LineJournal(path))
        journal.append(event)

    def finish(self, execution: Execution) -> list[str]:
        """Write the record of an ended execution, drop its events from memory, free disk space.

        Returns the ARNs of the executions that were deleted.
        """
        arn = execution["executionArn"]
        self.save(execution)
        journal = self._journals.pop(arn, None)
        if journal is not None:
            journal.close()
        execution["events"] = self._stored(arn)
        return self._make_room()

    def discard(self, arn: str) -> None:
        """Forget an execution that could not begin."""
        journal = self._journals.pop(arn, None)
        if journal is not None:
            journal.close()
        self._delete(arn)

    def load(self) -> list[Execution]:
        """Return every execution, oldest first; events of running ones in memory."""
        executions = [read_document(path) for path in self._folder.glob("*.json")]
        executions.sort(key=lambda execution: execution["stopDate"] or "~")
        for execution in executions:
            arn = execution["executionArn"]
            if execution["status"] == "RUNNING":
                execution["events"] = list(read_lines(self._file(arn, "jsonl")))
            else:
                execution["events"] = self._stored(arn)
        return executions

    def close(self) -> None:
        """Close the journals of the executions that still run."""
        for journal in self._journals.values():
            journal.close()
        self._journals.clear()

    def _stored(self, arn: str) -> StoredHistory:
        path = self._file(arn, "jsonl")
        self._finished[arn] = path.stat().st_size if path.exists() else 0
        return StoredHistory(path)

    def _make_room(self) -> list[str]:
        gone = []
        while len(self._finished) > 1 and sum(self._finished.values()) > self._budget_bytes:
            arn = next(iter(self._finished))
            del self._finished[arn]
            self._delete(arn)
            gone.append(arn)
        return gone

    def _delete(self, arn: str) -> None:
        for suffix in ("json", "jsonl"):
            self._file(arn, suffix).unlink(missing_ok=True)

    def _file(self, arn: str, suffix: str) -> Path:
        return self._folder / f"{hashlib.sha256(arn.encode()).hexdigest()[:32]}.{suffix}"
