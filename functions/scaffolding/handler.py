"""Personas, emotional arcs, topics, the consultant, prompt templates: read, change, try out."""

from __future__ import annotations

from typing import Any

from brightrun.api import routes_consultant, routes_scaffolding, routes_templates
from brightrun.api.app import build_api

api = build_api(routes_scaffolding.router, routes_consultant.router, routes_templates.router)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway request."""
    return api.resolve(event, context)
