"""The routes that show delivered models and hand out their files."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.api.app import owner_of
from brightrun.api.model_models import (
    AdapterAnswer,
    AdapterLinksAnswer,
    AdapterList,
    AdapterRequest,
)
from brightrun.api.shapes import Cursor, Limit, RecordId
from brightrun.bootstrap import jobs as bootstrap_jobs

router = APIGatewayHttpRouter()

MODELS = "/api/models"
TAGS = ["Models"]


@router.get(MODELS, tags=TAGS)
def list_models(limit: Limit = 25, cursor: Cursor = None) -> AdapterList:
    """List the caller's adapters, newest first."""
    reader = bootstrap_jobs.model_reader()
    return AdapterList.of(reader.page(owner_of(router), limit=limit, cursor=cursor))


@router.get(f"{MODELS}/<model_id>", tags=TAGS)
def show_model(model_id: RecordId) -> AdapterAnswer:
    """Show an adapter: its files, what it was made from, how good it is."""
    return AdapterAnswer.of(bootstrap_jobs.model_reader().one(owner_of(router), model_id))


@router.post(f"{MODELS}/<model_id>/download", tags=TAGS)
def download_model(model_id: RecordId, body: AdapterRequest) -> AdapterLinksAnswer:
    """Give links to an adapter's files, to all where none are named."""
    reader = bootstrap_jobs.model_reader()
    return AdapterLinksAnswer.of(reader.download(owner_of(router), model_id, body.files))
