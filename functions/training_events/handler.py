"""What EventBridge calls: for each change of a training job's status, and for the sweep."""

from __future__ import annotations

import dataclasses
from typing import Any

from brightrun.wiring.training_events import training_reconciler


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001
    """Put one training job right where the event names one, else all of them."""
    reconciler = training_reconciler()
    name = event.get("detail", {}).get("TrainingJobName")
    done = reconciler.sweep() if name is None else reconciler.changed(name)
    return dataclasses.asdict(done)
