"""What a validation writes into its dataset's row."""

from __future__ import annotations

import dataclasses
from typing import Any

from brightrun.domain.dataset import Dataset

LISTED_IN_ROW = 10
"""Problems of each kind that the row shows, as the original's did; the report has all."""

_FORMATS = {
    "v4-jsonl": "brightrun_lora_v4",
    "v4-json": "brightrun_lora_v4",
    "enriched": "brightrun_lora_v4",
    "conversations": "conversation",
}
"""The validator's names of formats that the API calls otherwise."""

_STATISTICS = (
    "lines",
    "records",
    "conversations",
    "tokens_per_conversation",
    "tokens_per_pair",
    "lengths_method",
    "duplicates",
    "near_duplicates",
    "forgotten",
    "error_count",
    "warning_count",
    "summary",
    "split",
    "seconds",
    "mb_per_s",
)
"""What a row carries besides its own fields; the first lines that a code was met on included."""

GIVEN_UP = (
    "The validation did not come to its end, though it was tried several times. "
    "Confirm the dataset again to start another one."
)


def found_out(dataset: Dataset, report: dict[str, Any], now: str) -> Dataset:
    """Settle a dataset by the validator's report, which is a ValidationResult as a dict."""
    ready, split = report["status"] == "ready", report["split"]
    pairs, found = report["total_training_pairs"], report["format"]
    per_pair = round(report["total_tokens"] / pairs, 1) if pairs else None
    return dataclasses.replace(
        dataset,
        status="ready" if ready else "error",
        format=_FORMATS.get(found, found) if found else dataset.format,
        sha256=report["sha256"],
        total_training_pairs=pairs,
        trainable_pairs=report["trainable_pairs"],
        total_validation_pairs=split["validation_pairs"] if split else None,
        total_tokens=report["total_tokens"],
        tokens_method=report["tokens_method"],
        avg_turns_per_conversation=report["avg_turns_per_conversation"],
        avg_tokens_per_turn=per_pair,
        statistics={name: report[name] for name in _STATISTICS},
        validation_errors=report["errors"][:LISTED_IN_ROW],
        validation_warnings=report["warnings"][:LISTED_IN_ROW],
        error_message=None if ready else _reason(report),
        validated_at=now,
        updated_at=now,
    )


def not_validated(dataset: Dataset, reason: str, now: str) -> Dataset:
    """Settle a dataset whose file could not be validated at all."""
    return dataclasses.replace(
        dataset, status="error", error_message=reason, validated_at=now, updated_at=now
    )


def _reason(report: dict[str, Any]) -> str:
    count, first = report["error_count"], report["errors"][0]
    return (
        f"Found {count} validation error(s), the first in line {first['line']}: "
        f"{first['message']}. {first['hint']}"
    )
