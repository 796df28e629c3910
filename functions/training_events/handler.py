"""EventBridge's target for changes of a SageMaker job's status, and for the regular sweep."""

from __future__ import annotations

import dataclasses
from typing import Any

from brightrun.core.invocation import invocation
from brightrun.wiring.training_events import training_reconciler


@invocation
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001
    """Reconcile the SageMaker job that the event names, or all of them."""
    reconciler = training_reconciler()
    name = event.get("detail", {}).get("TrainingJobName")
    done = reconciler.sweep() if name is None else reconciler.changed(name)
    return dataclasses.asdict(done)
