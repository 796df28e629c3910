"""Personas, emotional arcs, topics, the consultant, prompt templates: read, change, try out."""

from __future__ import annotations

from typing import Any

from brightrun.http.app import build_api
from brightrun.scaffolding import routes, template_routes
from brightrun.wiring.scaffolding import SERVICES

api = build_api(routes.router, template_routes.router, services=SERVICES)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway request."""
    return api.resolve(event, context)
