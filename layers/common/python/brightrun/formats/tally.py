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

    `records` were read (pairs, for the v4 forms), `written` went out with `trainable_pairs`.
    `untrainable` records are sound and have nothing to train, such as pairs with a null or blank
    target; `not_written` counts those of them that the target has no place for. `cut_off` answers
    end in a backslash, and do not train. `refused` records are left out: `left_out` counts them by
    code, those with several under each. `lost_fields` counts, by name, fields that the target
    cannot hold, and `turns_left_out` turns after the last answer that trains, which pairs cannot
    hold. `detected` is known at the end; `meta` is what the source's `_meta` line holds. The first
    100 `warnings` are listed; `warning_count` counts all of them.
    """

    to: Format
    file_name: str
    detected: Detection = field(init=False)
    meta: dict[str, Any] | None = None
    records: int = 0
    written: int = 0
    trainable_pairs: int = 0
    untrainable: int = 0
    cut_off: int = 0
    not_written: int = 0
    refused: int = 0
    turns_left_out: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    lost_fields: Counter[str] = field(default_factory=Counter)
    file_errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    warning_count: int = 0

    @property
    def is_complete(self) -> bool:
        """True when no record was refused and nothing is wrong with the file around them."""
        return not self.refused and not self.file_errors

    def warn(self, text: str) -> None:
        """Count a warning and list it while there is room."""
        self.warning_count += 1
        if len(self.warnings) < LISTED_WARNINGS:
            self.warnings.append(text)

    def refuse(self, place: str, codes: set[str], reason: str) -> None:
        """Count a record that is not carried over, and warn where it stood."""
        self.refused += 1
        self.left_out.update(codes)
        self.warn(f"{place}: left out. {reason}")
