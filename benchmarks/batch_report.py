"""How the batch benchmark shows what it found: tables for people, one JSON line for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """A figure that must not be above its limit."""

    name: str
    measured: float
    limit: float
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether it is within its limit."""
        return self.measured <= self.limit

    @property
    def ratio(self) -> float:
        """How much of the limit it takes."""
        return self.measured / self.limit

    def row(self) -> list[str]:
        """Its row in the table."""
        verdict = "met" if self.met else "MISSED"
        return [
            self.name,
            f"{number(self.measured)} {self.unit}",
            f"{number(self.limit)} {self.unit}",
            f"{self.ratio:.2f}",
            verdict,
        ]

    def document(self) -> dict[str, Any]:
        """Its entry in the JSON line."""
        return {
            "measured": round(self.measured, 5),
            "limit": self.limit,
            "ratio": round(self.ratio, 3),
            "met": self.met,
        }


@dataclass(slots=True)
class Findings:
    """The targets, and what else goes into the JSON line."""

    targets: dict[str, Target] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """What the last line says."""
        return {
            "benchmark": "batch",
            "passed": all(target.met for target in self.targets.values()),
            "targets": {name: target.document() for name, target in self.targets.items()},
            **self.notes,
        }


def number(value: float) -> str:
    """Four significant digits, thousands set apart."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table in Markdown, its columns aligned."""
    lines = [list(columns), *(list(row) for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    lines.insert(1, ["-" * width for width in widths])
    print(f"\n{title}\n")
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print(f"| {' | '.join(cells)} |")
