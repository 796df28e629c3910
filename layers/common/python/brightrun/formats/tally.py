"""What a conversion read, wrote and left out, so that nothing is dropped in silence."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from brightrun.formats.detect import Detection
from brightrun.formats.model import Format

LISTED_WARNINGS = 100


@dataclass(slots=True)
class Conversion:
    """The result of one conversion.

    `records` were read (pairs, for the v4 forms), `written` went out; `untrainable` are pairs with
    a null or blank target, `left_out` are records that could not be carried over, by reason.
    `meta` is what the source's `_meta` line holds.  The first 100 `warnings` are listed;
    `warning_count` counts all of them.
    """

    detected: Detection
    to: Format
    file_name: str
    meta: dict[str, Any] | None = None
    records: int = 0
    written: int = 0
    trainable_pairs: int = 0
    untrainable: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)
    warning_count: int = 0

    def warn(self, text: str) -> None:
        """Count a warning and list it while there is room."""
        self.warning_count += 1
        if len(self.warnings) < LISTED_WARNINGS:
            self.warnings.append(text)

    def leave_out(self, place: str, reason: str) -> None:
        """Count a record that is not carried over, and warn where it stood."""
        self.left_out[reason] += 1
        self.warn(f"{place}: left out, {reason}")
