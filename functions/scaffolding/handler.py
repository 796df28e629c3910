"""The API of personas, emotional arcs, topics, the consultant and prompt templates."""

from __future__ import annotations

from typing import Any

from brightrun.core.invocation import invocation
from brightrun.http.app import build_api
from brightrun.scaffolding import routes
from brightrun.wiring.scaffolding import SERVICES

api = build_api(routes.router, services=SERVICES)


@invocation
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway request."""
    return api.resolve(event, context)
