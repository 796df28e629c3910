"""Notes the problems of one line."""

from typing import Any

from brightrun.validation.codes import Severity
from brightrun.validation.report import Report


class Notes:
    """Hands problems of one line to the report; `failed` once one of them is an error."""

    __slots__ = ("_report", "failed", "line")

    def __init__(self, report: Report, line: int) -> None:
        self._report = report
        self.line = line
        self.failed = False

    def __call__(self, code: str, place: str = "", detail: Any = "") -> None:
        """Note a problem at a JSON pointer."""
        if self._report.note(code, self.line, place, detail) is Severity.ERROR:
            self.failed = True
