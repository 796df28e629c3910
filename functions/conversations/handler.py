"""Conversations, failed generations and the generation log: list, read, download."""

from __future__ import annotations

from typing import Any

from brightrun.api import routes_conversations, routes_generation_records
from brightrun.api.app import build_api

api = build_api()
api.include_router(routes_conversations.router)
api.include_router(routes_generation_records.router)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway request."""
    return api.resolve(event, context)
