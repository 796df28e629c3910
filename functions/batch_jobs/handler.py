"""Batch jobs: list, status, items, log, pause, resume, cancel, retry what failed."""

from __future__ import annotations

from typing import Any

from brightrun.api import routes_batch_controls, routes_batches
from brightrun.api.app import build_api

api = build_api(routes_batches.router, routes_batch_controls.router)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway request."""
    return api.resolve(event, context)
