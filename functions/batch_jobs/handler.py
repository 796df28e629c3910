"""Shows and controls batch jobs: list, status, items, log, pause, resume, cancel, retry."""

from __future__ import annotations

from typing import Any

from brightrun.batches import routes
from brightrun.core.invocation import invocation
from brightrun.http.app import build_api
from brightrun.wiring.batch_jobs import SERVICES

api = build_api(routes.router, services=SERVICES)


@invocation
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway request."""
    return api.resolve(event, context)
