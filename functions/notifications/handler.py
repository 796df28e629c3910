"""The API of notifications."""

from __future__ import annotations

from typing import Any

from brightrun.core.invocation import invocation
from brightrun.http.app import build_api
from brightrun.notifications import routes
from brightrun.wiring.notifications import SERVICES

api = build_api(routes.router, services=SERVICES)


@invocation
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway request."""
    return api.resolve(event, context)
