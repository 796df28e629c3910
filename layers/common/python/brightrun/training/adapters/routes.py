"""The routes that show delivered models and sign links to their files."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.http.app import owner_of, service
from brightrun.http.schemas import Cursor, Limit, RecordId
from brightrun.training.adapters.schemas import (
    AdapterLinksResponse,
    AdapterList,
    AdapterRequest,
    AdapterResponse,
)
from brightrun.training.adapters.service import ModelReader

router = APIGatewayHttpRouter()
MODELS = "/api/models"
TAGS = ["Models"]


@router.get(MODELS, tags=TAGS)
def list_models(limit: Limit = 25, cursor: Cursor = None) -> AdapterList:
    """List the caller's adapters, newest first."""
    reader = service(router, ModelReader)
    return AdapterList.from_domain(reader.page(owner_of(router), limit=limit, cursor=cursor))


@router.get(f"{MODELS}/<model_id>", tags=TAGS)
def show_model(model_id: RecordId) -> AdapterResponse:
    """Show an adapter: its files, its origin and its quality."""
    return AdapterResponse.from_domain(service(router, ModelReader).one(owner_of(router), model_id))


@router.post(f"{MODELS}/<model_id>/download", tags=TAGS)
def download_model(model_id: RecordId, body: AdapterRequest) -> AdapterLinksResponse:
    """Return links to an adapter's files, to all of them if none are named."""
    reader = service(router, ModelReader)
    return AdapterLinksResponse.from_domain(reader.download(owner_of(router), model_id, body.files))
