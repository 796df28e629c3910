"""Creates batch jobs that generate or judge conversations; answers 202."""

from __future__ import annotations

from typing import Any

from brightrun.batches import generation_routes
from brightrun.core.invocation import invocation
from brightrun.http.app import build_api
from brightrun.wiring.generate import SERVICES

api = build_api(generation_routes.router, services=SERVICES)


@invocation
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway request."""
    return api.resolve(event, context)
