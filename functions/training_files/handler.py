"""Creates training files and their versions, shows them, and links to them."""

from __future__ import annotations

from typing import Any

from brightrun.core.invocation import invocation
from brightrun.http.app import build_api
from brightrun.training_files import routes
from brightrun.wiring.training_files import SERVICES

api = build_api(routes.router, services=SERVICES)


@invocation
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway request."""
    return api.resolve(event, context)
