"""Collects problems: exact counts for all, full entries up to a cap, so that memory is bounded."""

from collections import Counter
from collections.abc import Collection
from typing import Any

import msgspec

from brightrun.formats.model import Form
from brightrun.validation.codes import Severity, codes

LISTED = 1000
_LINES_PER_CODE = 5
_LONGEST_DETAIL = 200


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


class Report:
    """Problems of one file.

    `cap` entries are listed per severity, the first of each code always; the counts stay exact.
    Codes in `block` count as errors whatever the table says.
    """

    def __init__(self, *, cap: int = LISTED, block: Collection[str] = ()) -> None:
        self.form: Form | None = None
        self.listed: dict[Severity, list[Problem]] = {severity: [] for severity in Severity}
        self._cap = cap
        self._block = frozenset(block)
        self._counts: Counter[tuple[str, Severity]] = Counter()
        self._first_lines: dict[tuple[str, Severity], list[int]] = {}

    def note(self, code: str, line: int, pointer: str = "", detail: Any = "") -> Severity:
        """Count a problem, list it while there is room, and return its severity.

        The detail says what was found; it never holds the text of a turn.
        """
        severity = Severity.ERROR if code in self._block else codes()[code].severity_in(self.form)
        key = (code, severity)
        self._counts[key] += 1
        lines = self._first_lines.setdefault(key, [])
        if len(lines) < _LINES_PER_CODE:
            lines.append(line)
        listed = self.listed[severity]
        if len(listed) < self._cap or self._counts[key] == 1:
            listed.append(_problem(code, line, pointer, str(detail)))
        return severity

    @property
    def errors(self) -> int:
        """How many errors there are in all, listed or not."""
        return self._total(Severity.ERROR)

    def _total(self, severity: Severity) -> int:
        return sum(count for (_, found), count in self._counts.items() if found is severity)

    def count(self, code: str) -> int:
        """How often a code occurred."""
        return sum(count for (found, _), count in self._counts.items() if found == code)

    def summary(self) -> list[CodeCount]:
        """Exact counts by code, errors first, the most frequent first."""
        rows = [
            CodeCount(code, severity, count, self._first_lines[code, severity])
            for (code, severity), count in self._counts.items()
        ]
        return sorted(rows, key=lambda row: (row.severity, -row.count, row.code))


def _problem(code: str, line: int, pointer: str, detail: str) -> Problem:
    row = codes()[code]
    said = _shown(detail)
    message = f"{row.title} ({said})" if said else row.title
    return Problem(line, _shown(pointer), code, message, row.hint)


def _shown(text: str) -> str:
    """A file's own words in a length and in letters that every reader of the report takes."""
    cut = text if len(text) <= _LONGEST_DETAIL else text[:_LONGEST_DETAIL] + "…"
    return cut.encode(errors="replace").decode()
