"""The training workflow's function that starts a job in SageMaker, or waits for capacity."""

from __future__ import annotations

from typing import Any

from brightrun.core.invocation import invocation
from brightrun.training.workflow.model import TrainingStep
from brightrun.wiring.start_training import training_starter


@invocation
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001
    """Start the job once."""
    result = training_starter().start(TrainingStep.model_validate(event))
    return result.model_dump(by_alias=True)
