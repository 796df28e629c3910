"""Datasets: take files in, have them validated, show and delete them."""

from __future__ import annotations

from typing import Any

from brightrun.api import routes_datasets
from brightrun.api.app import build_api

api = build_api(routes_datasets.router)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway request."""
    return api.resolve(event, context)
