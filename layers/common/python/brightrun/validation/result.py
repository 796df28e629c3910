"""The result of a validation, in the fields that the API, the record and the command line show."""

from typing import Any

import msgspec

from brightrun.validation.lengths import Lengths
from brightrun.validation.report import CodeCount, Problem
from brightrun.validation.split import Split


class ValidationResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a training file is, whether it is ready, and every problem up to the cap.

    `refused` are the records with an error, none of which trains. `total_training_pairs` counts
    what is stored (v4 and Alpaca: records; the others: turns), `trainable_pairs` the answers that
    train.  `forgotten` is how many hashes the repetition check had to drop: 0 means that it
    compared everything with everything.  `split` is None for a file that is not ready.
    """

    status: str
    format: str | None
    lines: int
    records: int
    refused: int
    trainable_pairs: int
    total_training_pairs: int
    total_tokens: int
    tokens_method: str
    conversations: int
    avg_turns_per_conversation: float
    tokens_per_conversation: Lengths
    tokens_per_pair: Lengths
    lengths_method: str
    duplicates: int
    near_duplicates: int
    forgotten: int
    error_count: int
    warning_count: int
    summary: list[CodeCount]
    warnings: list[Problem]
    errors: list[Problem]
    bytes: int
    sha256: str
    seconds: float
    mb_per_s: float
    detected_by: str
    split: Split | None

    @property
    def exit_code(self) -> int:
        """What a command answers with: 0 ready, 1 not ready, 2 not a training file at all."""
        if self.status == "ready":
            return 0
        return 2 if self.format is None else 1

    def as_dict(self) -> dict[str, Any]:
        """The result as plain JSON values, in this order; of the split without its lines."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        if found["split"] is not None:
            del found["split"]["validation_lines"]
        return found
