"""API of training costs."""

from __future__ import annotations

from typing import Any

from brightrun.core.invocation import invocation
from brightrun.http.app import build_api
from brightrun.training.costs import routes
from brightrun.wiring.costs import SERVICES

api = build_api(routes.router, services=SERVICES)


@invocation
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway request."""
    return api.resolve(event, context)
