"""API of estimates, receipts, base models and GPU types."""

from __future__ import annotations

from typing import Any

from brightrun.core.invocation import invocation
from brightrun.datasets.receipts import routes as receipt_routes
from brightrun.estimates import routes as estimate_routes
from brightrun.http.app import build_api
from brightrun.wiring.estimate import SERVICES

api = build_api(estimate_routes.router, receipt_routes.router, services=SERVICES)


@invocation
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway request."""
    return api.resolve(event, context)
