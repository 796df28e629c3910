"""The end of a round of a batch: closes the job, or requests another round."""

from __future__ import annotations

from typing import Any

from brightrun.batches.workflow import Round
from brightrun.core.invocation import invocation
from brightrun.wiring.finish_batch import batch_finisher


@invocation
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001
    """End one round."""
    result = batch_finisher().finish(Round.model_validate(event))
    return result.model_dump(by_alias=True)
