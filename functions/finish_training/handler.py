"""The training workflow's function that delivers the adapter and closes the bill."""

from __future__ import annotations

from typing import Any

from brightrun.core.invocation import invocation
from brightrun.training.workflow.model import TrainingStep
from brightrun.wiring.finish_training import training_finisher


@invocation
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001
    """Finish the job if SageMaker has ended it."""
    result = training_finisher().finish(TrainingStep.model_validate(event))
    return result.model_dump(by_alias=True)
