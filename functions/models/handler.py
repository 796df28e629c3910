"""Delivered models: list them, show them, hand out their files."""

from __future__ import annotations

from typing import Any

from brightrun.api import routes_models
from brightrun.api.app import build_api

api = build_api(routes_models.router)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway request."""
    return api.resolve(event, context)
