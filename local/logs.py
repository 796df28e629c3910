"""Shows the log files of a data folder in one order, by function and by job, and follows them."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from local.errors import LocalError
from local.settings import DataFolder

_POLL_SECONDS = 0.5
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}")


class NoSuchLog(LocalError):
    """No log file has that name."""


@dataclass(frozen=True)
class LogQuery:
    """Which entries: of one function (a log file's name), of one job (an id), the newest."""

    function: str | None = None
    job: str | None = None
    newest: int = 200


@dataclass(frozen=True)
class Entry:
    """A line with those that continue it, such as a traceback; ``time`` sorts as text."""

    source: str
    time: str
    text: str

    def lines(self) -> Iterator[str]:
        """The lines as they are shown."""
        for line in self.text.splitlines():
            yield f"{self.source} | {line}"


class LogFiles:
    """The log files of a data folder: the engine's, a function's each, a training's each."""

    def __init__(self, folder: DataFolder, query: LogQuery) -> None:
        self._folder = folder
        self._query = query
        self._offsets: dict[Path, int] = {}
        self._times: dict[Path, str] = {}

    def read(self) -> list[Entry]:
        """Return what was written since the last call, the newest entries at the first.

        Raises NoSuchLog for a function without a log.
        """
        paths = self._paths()
        entries = [entry for path in paths for entry in self._new_entries(path)]
        found = [entry for entry in entries if self._is_asked_for(entry)]
        return sorted(found, key=lambda entry: entry.time)

    def _paths(self) -> list[Path]:
        logs = sorted(self._folder.logs.glob("*.log"))
        if not self._offsets:  # later, what is rotated away has been read
            logs = [*sorted(self._folder.logs.glob("*.log.1")), *logs]
        trainings = sorted(self._folder.training.glob("*/train.log"))
        if self._query.function is None:
            return [*logs, *trainings]
        found = [path for path in logs if _source(path) == self._query.function]
        if not found:
            names = ", ".join(sorted({_source(path) for path in logs})) or "none"
            raise NoSuchLog(
                f"{self._folder.logs} has no log of {self._query.function}; there are: {names}."
                " A function has one once it was called."
            )
        return found

    def _new_entries(self, path: Path) -> list[Entry]:
        content = self._new_content(path)
        source = _source(path)
        entries: list[Entry] = []
        for line in content.splitlines():
            at = _time_of(line)
            if at is None and entries:
                last = entries.pop()
                entries.append(Entry(source, last.time, f"{last.text}\n{line}"))
            else:
                entries.append(Entry(source, at or self._times.get(path) or _changed(path), line))
        if entries:
            self._times[path] = entries[-1].time
        return entries

    def _new_content(self, path: Path) -> str:
        """Return the whole lines that were appended; from the start for a file begun anew."""
        size = path.stat().st_size
        offset = self._offsets.get(path, 0)
        with path.open("rb") as file:
            file.seek(offset if offset <= size else 0)
            content = file.read()
            whole = content[: content.rfind(b"\n") + 1]
            self._offsets[path] = file.tell() - len(content) + len(whole)
        return whole.decode("utf-8", "replace")

    def _is_asked_for(self, entry: Entry) -> bool:
        job = self._query.job
        return job is None or job in entry.source or job in entry.text


def show_logs(folder: DataFolder, query: LogQuery, *, follow: bool) -> Iterator[str]:
    """Yield the newest lines, then, to follow, those that come; raises NoSuchLog."""
    files = LogFiles(folder, query)
    entries = files.read()[-query.newest :]
    while True:
        for entry in entries:
            yield from entry.lines()
        if not follow:
            return
        time.sleep(_POLL_SECONDS)
        entries = files.read()


def _source(path: Path) -> str:
    return f"training {path.parent.name}" if path.name == "train.log" else path.name.split(".")[0]


def _changed(path: Path) -> str:
    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return f"{changed:%Y-%m-%d %H:%M:%S},000"


def _time_of(line: str) -> str | None:
    """Return the time at which a line was written, None for one that continues another."""
    if line.startswith("{"):
        try:
            stamp = str(json.loads(line).get("timestamp"))
        except ValueError:
            return None
    else:
        stamp = line
    found = _TIME.match(stamp)
    return found[0] if found else None
