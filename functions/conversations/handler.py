"""The API of conversations, their enrichment and review, and of the generation log."""

from __future__ import annotations

from typing import Any

from brightrun.conversations import routes as conversation_routes
from brightrun.conversations.enrichment import routes as enrichment_routes
from brightrun.conversations.generation_log import routes as generation_log_routes
from brightrun.conversations.review import routes as review_routes
from brightrun.core.invocation import invocation
from brightrun.http.app import build_api
from brightrun.wiring.conversations import SERVICES

api = build_api(
    conversation_routes.router,
    enrichment_routes.router,
    review_routes.router,
    generation_log_routes.router,
    services=SERVICES,
)


@invocation
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway request."""
    return api.resolve(event, context)
