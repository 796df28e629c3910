"""Training jobs: start them, watch them, cancel them."""

from __future__ import annotations

from typing import Any

from brightrun.api import routes_jobs
from brightrun.api.app import build_api

api = build_api(routes_jobs.router)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway request."""
    return api.resolve(event, context)
