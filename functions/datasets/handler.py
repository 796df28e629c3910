"""API of datasets: create, import, confirm, show and delete them."""

from __future__ import annotations

from typing import Any

from brightrun.core.invocation import invocation
from brightrun.datasets import routes
from brightrun.http.app import build_api
from brightrun.wiring.datasets import SERVICES

api = build_api(routes.router, services=SERVICES)


@invocation
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway request."""
    return api.resolve(event, context)
