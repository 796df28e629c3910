"""The training workflow's function that looks at a training that SageMaker works on."""

from __future__ import annotations

from typing import Any

from brightrun.bootstrap import training_workflow as bootstrap_training_workflow
from brightrun.domain.training_turns import TrainingTurn


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001
    """Take one look."""
    result = bootstrap_training_workflow.training_watcher().watch(
        TrainingTurn.model_validate(event)
    )
    return result.model_dump(by_alias=True)
