"""EventBridge's target for the daily sweep: removes objects that no row points to."""

from __future__ import annotations

from typing import Any

from brightrun.core.invocation import invocation
from brightrun.wiring.sweep_objects import object_sweeper


@invocation
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001
    """Sweep the buckets; says for each what was looked at and removed."""
    done = object_sweeper().sweep(lambda: context.get_remaining_time_in_millis() / 1000)
    return {bucket: swept._asdict() for bucket, swept in done.items()}
