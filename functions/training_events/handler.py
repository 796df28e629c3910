"""What EventBridge calls: for each change of a training job's status, and for the sweep."""

from __future__ import annotations

import dataclasses
from typing import Any

from brightrun.bootstrap import training_workflow as bootstrap_training_workflow
from brightrun.services.reconcile_training import TrainingReconciler


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001
    """Put one training job right where the event names one, else all of them."""
    reconciler: TrainingReconciler = bootstrap_training_workflow.training_reconciler()
    name = event.get("detail", {}).get("TrainingJobName")
    done = reconciler.sweep() if name is None else reconciler.changed(name)
    return dataclasses.asdict(done)
