"""Training files: make them of conversations, let them grow, show them, hand them out."""

from __future__ import annotations

from typing import Any

from brightrun.api import routes_training_files
from brightrun.api.app import build_api

api = build_api(routes_training_files.router)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway request."""
    return api.resolve(event, context)
