"""HTTP door to personas, emotional arcs, topics, the consultant and prompt templates."""

from __future__ import annotations

from typing import Any

from brightrun import bootstrap
from brightrun.api.app import build_api
from brightrun.api.routes_scaffolding import add_scaffolding_routes
from brightrun.api.routes_templates import add_template_routes

api = build_api()
add_scaffolding_routes(api, bootstrap.scaffolding_editor)
add_template_routes(api, bootstrap.scaffolding_editor)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request of the HTTP API."""
    return api.resolve(event, context)
