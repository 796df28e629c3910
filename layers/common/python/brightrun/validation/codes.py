"""Every problem the validator can name, from the table `codes.json`; so is its docs page."""

from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from importlib.resources import files

import msgspec

from brightrun.formats.model import Form


class Severity(StrEnum):
    """An error keeps the file from being ready; a warning is only reported."""

    ERROR = "error"
    WARNING = "warning"


class Code(msgspec.Struct, frozen=True):
    """One row: what is wrong, how to mend it, and which rule book asks for it."""

    name: str
    severity: Severity
    title: str
    hint: str
    source: str
    warning_in: frozenset[Form] = frozenset()  # formats whose original rules let it pass

    def severity_in(self, form: Form | None) -> Severity:
        """The severity for a file of this format."""
        return Severity.WARNING if form in self.warning_in else self.severity


@cache
def codes() -> dict[str, Code]:
    """All codes by name, in the order of the table."""
    text = files(__package__).joinpath("codes.json").read_text(encoding="utf-8")
    rows = msgspec.json.decode(text, type=list[Code])
    return {row.name: row for row in rows}


def unknown_codes(names: Iterable[str]) -> list[str]:
    """Those of the names that are no code, to check a policy before it is used."""
    return sorted(set(names) - codes().keys())


def codes_page() -> str:
    """The documentation page of all codes, as Markdown; the same input gives the same bytes."""
    head = (
        "# Dataset problem codes\n\n"
        "Made from `brightrun/validation/codes.json`; do not edit by hand.\n\n"
        "An **error** keeps a file from being ready. A **warning** is reported and can be raised"
        " to an error by policy.\n\n"
        "| Code | Severity | What is wrong | How to mend it | Rule of |\n"
        "| --- | --- | --- | --- | --- |\n"
    )
    rows = []
    for row in codes().values():
        softer = ", ".join(sorted(form.full_name for form in row.warning_in))
        severity = f"{row.severity} (warning in {softer})" if softer else row.severity
        rows.append(f"| `{row.name}` | {severity} | {row.title} | {row.hint} | {row.source} |\n")
    return head + "".join(rows)
