"""Before training: what the model will see, time and cost, and what there is to choose."""

from __future__ import annotations

from typing import Any

from brightrun.api import routes_estimate, routes_receipt
from brightrun.api.app import build_api

api = build_api(routes_estimate.router, routes_receipt.router)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway request."""
    return api.resolve(event, context)
