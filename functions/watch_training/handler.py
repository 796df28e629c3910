"""The training workflow's function that follows a job in SageMaker."""

from __future__ import annotations

from typing import Any

from brightrun.core.invocation import invocation
from brightrun.training.workflow.model import TrainingStep
from brightrun.wiring.watch_training import training_watcher


@invocation
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001
    """Update the job once."""
    result = training_watcher().watch(TrainingStep.model_validate(event))
    return result.model_dump(by_alias=True)
