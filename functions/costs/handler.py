"""What training has cost."""

from __future__ import annotations

from typing import Any

from brightrun.api import routes_costs
from brightrun.api.app import build_api

api = build_api(routes_costs.router)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway request."""
    return api.resolve(event, context)
