"""The routes that start the writing of conversations."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun import bootstrap
from brightrun.api.app import owner_of
from brightrun.api.generation_answers import BatchAccepted, SingleAccepted
from brightrun.api.generation_requests import BatchRequest, SingleRequest, TemplateRequest
from brightrun.api.shapes import IdempotencyKey
from brightrun.services.create_batch import BatchOrder, CreatedBatch

router = APIGatewayHttpRouter()


@router.post("/api/conversations/generate-batch", status_code=202, tags=["Generation"])
def generate_batch(body: BatchRequest, idempotency_key: IdempotencyKey = None) -> BatchAccepted:
    """Create a batch of conversations from parameter sets or a selection."""
    return BatchAccepted.of(_create(body.order(), idempotency_key))


@router.post("/api/conversations/generate-with-scaffolding", status_code=202, tags=["Generation"])
def generate_with_scaffolding(
    body: SingleRequest, idempotency_key: IdempotencyKey = None
) -> SingleAccepted:
    """Create one conversation from a persona, an arc and a topic."""
    return SingleAccepted.of(_create(body.order(), idempotency_key))


@router.post("/api/conversations/generate", status_code=202, tags=["Generation"])
def generate(body: TemplateRequest, idempotency_key: IdempotencyKey = None) -> SingleAccepted:
    """Create one conversation from a template."""
    return SingleAccepted.of(_create(body.order(), idempotency_key))


def _create(order: BatchOrder, idempotency_key: str | None) -> CreatedBatch:
    return bootstrap.batch_creator().create(owner_of(router), order, idempotency_key)
