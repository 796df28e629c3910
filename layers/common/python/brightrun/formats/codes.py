"""Every problem of a file that the tools can name, from the table `codes.json`; so is its page."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cache
from importlib.resources import files

import msgspec

from brightrun.formats.format import FORMATS
from brightrun.formats.model import Format
from brightrun.formats.v4_files import V4_JSONL

LONGEST_DETAIL = 200
"""Characters of what a message says of a file's own words."""


class Severity(StrEnum):
    """An error keeps the file from being ready; a warning is only reported."""

    ERROR = "error"
    WARNING = "warning"


class Code(msgspec.Struct, frozen=True):
    """One row: what is wrong, how to mend it, and which rule book asks for it.

    A format's rules may say that it is only a warning there.
    """

    name: str
    severity: Severity
    title: str
    hint: str
    source: str

    def severity_in(self, found: Format | None) -> Severity:
        """The severity for a file of this format."""
        milder = found and found.rules and self.name in found.rules.warnings
        return Severity.WARNING if milder else self.severity


def codes() -> dict[str, Code]:
    """All codes by name, in the order of the table."""
    return _codes(tuple(FORMATS))  # for every problem: cheap, and right after a registration


@cache
def _codes(names: Sequence[str]) -> dict[str, Code]:
    text = files(__package__).joinpath("codes.json").read_text(encoding="utf-8")
    *first, last = [
        FORMATS[name].title.removesuffix(" JSONL")
        for name in names
        if not FORMATS[name].is_whole_file
    ]
    text = text.replace("{formats}", f"{', '.join(first)} or {last}").replace(
        "{own_format}", V4_JSONL.name
    )
    rows = msgspec.json.decode(text, type=list[Code])
    return {row.name: row for row in rows}


def message_of(code: str, detail: str = "") -> str:
    """What a problem is, in a sentence, with what was found in this case."""
    title, said = codes()[code].title, shown(detail)
    return f"{title.removesuffix('.')} ({said})." if said else title


def shown(text: str) -> str:
    """A file's own words in a length and in letters that every reader of a report takes."""
    cut = text if len(text) <= LONGEST_DETAIL else text[:LONGEST_DETAIL] + "…"
    return cut.encode(errors="replace").decode()


def unknown_codes(names: Iterable[str]) -> list[str]:
    """Those of the names that are no code, to check a policy before it is used."""
    return sorted(set(names) - codes().keys())


def codes_page() -> str:
    """The documentation page of all codes, as Markdown; the same input gives the same bytes."""
    head = (
        "# Dataset problem codes\n\n"
        "Made from `brightrun/formats/codes.json`; do not edit by hand.\n\n"
        "An **error** keeps a file from being ready. A **warning** is reported and can be raised"
        " to an error by policy.\n\n"
        "| Code | Severity | What is wrong | How to mend it | Rule of |\n"
        "| --- | --- | --- | --- | --- |\n"
    )
    rows = []
    for row in codes().values():
        milder = [entry for entry in FORMATS.values() if row.severity_in(entry) is not row.severity]
        softer = ", ".join(sorted(entry.title for entry in milder))
        severity = f"{row.severity} (warning in {softer})" if softer else row.severity
        rows.append(f"| `{row.name}` | {severity} | {row.title} | {row.hint} | {row.source} |\n")
    return head + "".join(rows)
