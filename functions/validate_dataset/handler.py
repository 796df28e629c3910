"""The validation workflow's function: validates a dataset's file and stores the outcome."""

from __future__ import annotations

from typing import Any

from brightrun.core.invocation import invocation
from brightrun.datasets.validate_dataset import ValidationRun
from brightrun.wiring.validate_dataset import dataset_validator


@invocation
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001
    """Carry out one validation run, or record that it failed for good."""
    end = dataset_validator().validate(ValidationRun.model_validate(event))
    return end.model_dump(by_alias=True)
