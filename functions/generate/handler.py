"""POST single and batch generation: plan it, store it, start the workflow, answer 202."""

from __future__ import annotations

from typing import Any

from brightrun.api import routes_generation, routes_judgements
from brightrun.api.app import build_api

api = build_api(routes_generation.router, routes_judgements.router)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway request."""
    return api.resolve(event, context)
