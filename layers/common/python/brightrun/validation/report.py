"""Collects problems: exact counts for all, full entries up to a cap, so that memory is bounded."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

import msgspec

from brightrun.formats import Format, Severity, codes, message_of, shown

LISTED = 1000
_LINES_PER_CODE = 5


class Problem(msgspec.Struct, frozen=True):
    """One problem: where (physical line from 1, JSON pointer), what, and how to mend it."""

    line: int
    pointer: str
    code: str
    message: str
    hint: str


class CodeCount(msgspec.Struct, frozen=True):
    """How often a code occurred in the whole file, and the first lines it occurred on."""

    code: str
    severity: Severity
    count: int
    lines: list[int]


class Findings(msgspec.Struct, frozen=True):
    """What was found in a part of a file: exact counts, and the problems listed."""

    rows: list[CodeCount]
    listed: dict[Severity, list[Problem]]


class Report:
    """Problems of one file, or of a part of it.

    `cap` entries are listed per severity, the first of each code always; the counts stay exact.
    Codes in `block` count as errors whatever the table says.  `room` says how many entries may
    still be listed.
    """

    def __init__(
        self, *, cap: int = LISTED, block: Collection[str] = (), format_: Format | None = None
    ) -> None:
        self.format = format_
        self.unit = "line"
        self.listed: dict[Severity, list[Problem]] = {severity: [] for severity in Severity}
        self.room = dict.fromkeys(Severity, cap)
        self._block = frozenset(block)
        self._counts: Counter[tuple[str, Severity]] = Counter()
        self._first_lines = defaultdict[tuple[str, Severity], list[int]](list)

    def part(self, room: Mapping[Severity, int] | None = None) -> "Report":
        """An empty report on a later part of the same file, to be added to this one."""
        report = Report(block=self._block, format_=self.format)
        report.unit = self.unit
        report.room = dict(self.room if room is None else room)
        return report

    def note(self, code: str, line: int, pointer: str = "", detail: Any = "") -> Severity:
        """Count a problem, list it while there is room, and return its severity.

        The detail says what was found; it never holds the text of a turn.
        """
        severity = Severity.ERROR if code in self._block else _severity_of(code, self.format)
        if self.room[severity] > 0 or (code, severity) not in self._counts:
            self._list(_problem(code, line, pointer, str(detail)), severity)
        self._count(code, severity, 1, (line,))
        return severity

    def add(self, *parts: Findings) -> None:
        """Take in what was found, by several, in lines after all those noted so far."""
        for severity in Severity:
            problems = [problem for part in parts for problem in part.listed[severity]]
            seen = {code for code, found in self._counts if found is severity}
            for problem in sorted(problems, key=lambda problem: problem.line):
                if self.room[severity] > 0 or problem.code not in seen:
                    self._list(problem, severity)
                    seen.add(problem.code)
        for row in (row for part in parts for row in part.rows):
            self._count(row.code, row.severity, row.count, row.lines)

    def is_settled(self, found: Findings) -> bool:
        """True if finding the same once more would change nothing but the counts."""
        return all(
            self.room[row.severity] <= 0
            and len(self._first_lines.get((row.code, row.severity), ())) == _LINES_PER_CODE
            for row in found.rows
        )

    def add_again(self, found: Findings, line: int) -> None:
        """Note on a line, after all those noted so far, what was found on another."""
        for severity, problems in found.listed.items():
            for problem in problems:
                if self.room[severity] > 0 or (problem.code, severity) not in self._counts:
                    self._list(msgspec.structs.replace(problem, line=line), severity)
                self._count(problem.code, severity, 1, (line,))

    def add_count(self, found: Findings, times: int) -> None:
        """Count what was found once so many times; it must be settled (`is_settled`)."""
        for row in found.rows:
            self._counts[row.code, row.severity] += row.count * times

    def _list(self, problem: Problem, severity: Severity) -> None:
        self.listed[severity].append(problem)
        self.room[severity] -= 1

    def _count(self, code: str, severity: Severity, count: int, lines: Iterable[int]) -> None:
        key = code, severity
        self._counts[key] += count
        first = self._first_lines[key]
        if len(first) < _LINES_PER_CODE:
            first[:] = sorted([*first, *lines])[:_LINES_PER_CODE]

    def lines(self) -> set[int]:
        """The lines of the problems listed, and the first ones of each code."""
        listed = {problem.line for found in self.listed.values() for problem in found}
        return listed.union(*self._first_lines.values())

    @property
    def errors(self) -> int:
        """How many errors there are in all, listed or not."""
        return self._total(Severity.ERROR)

    def _total(self, severity: Severity) -> int:
        return sum(count for (_, found), count in self._counts.items() if found is severity)

    def count(self, code: str) -> int:
        """How often a code occurred."""
        return sum(count for (found, _), count in self._counts.items() if found == code)

    def findings(self) -> Findings:
        """All that was found, as it can be sent."""
        return Findings(self.summary(), self.listed)

    def summary(self) -> list[CodeCount]:
        """Exact counts by code, errors first, the most frequent first."""
        rows = [
            CodeCount(code, severity, count, self._first_lines[code, severity])
            for (code, severity), count in self._counts.items()
        ]
        return sorted(rows, key=lambda row: (row.severity, -row.count, row.code))


class ProblemRecorder:
    """Hands problems of one line to the report; `failed` once one of them is an error."""

    __slots__ = ("_report", "failed", "line")

    def __init__(self, report: Report, line: int) -> None:
        self._report = report
        self.line = line
        self.failed = False

    @property
    def unit(self) -> str:
        """What numbers of records count: lines of the file, or items of a document."""
        return self._report.unit

    def __call__(self, code: str, place: str = "", detail: Any = "") -> None:
        """Note a problem at a JSON pointer."""
        if self._report.note(code, self.line, place, detail) is Severity.ERROR:
            self.failed = True


@cache
def _severity_of(code: str, found: Format | None) -> Severity:
    return codes()[code].severity_in(found)


def _problem(code: str, line: int, pointer: str, detail: str) -> Problem:
    return Problem(line, shown(pointer), code, message_of(code, detail), codes()[code].hint)
