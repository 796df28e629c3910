"""The worker of a batch: claims items of a job and processes them."""

from __future__ import annotations

from typing import Any

from brightrun.batches.workflow import WorkerInvocation
from brightrun.core.invocation import invocation
from brightrun.wiring.process_next import worker_runner


@invocation
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run one invocation; the result's status decides whether the workflow starts another."""
    request = WorkerInvocation.model_validate(event)
    result = worker_runner().run(request, lambda: context.get_remaining_time_in_millis() / 1000)
    return result.model_dump(by_alias=True)
