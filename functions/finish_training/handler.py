"""The training workflow's function that closes the job and delivers its adapter."""

from __future__ import annotations

from typing import Any

from brightrun.bootstrap import training_workflow as bootstrap_training_workflow
from brightrun.domain.training_turns import TrainingTurn


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001
    """Close the job, if SageMaker has ended."""
    result = bootstrap_training_workflow.training_finisher().finish(
        TrainingTurn.model_validate(event)
    )
    return result.model_dump(by_alias=True)
