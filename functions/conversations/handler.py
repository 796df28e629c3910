"""Conversations, their enrichment and review, failed generations and the generation log."""

from __future__ import annotations

from typing import Any

from brightrun.api import (
    routes_conversations,
    routes_enrichment,
    routes_generation_records,
    routes_import,
    routes_reviews,
)
from brightrun.api.app import build_api

api = build_api(
    routes_conversations.router,
    routes_import.router,
    routes_enrichment.router,
    routes_reviews.router,
    routes_generation_records.router,
)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway request."""
    return api.resolve(event, context)
