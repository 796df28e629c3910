"""POST single and batch generation: plan it, store it, start the workflow, answer 202."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Body, Header

from brightrun import bootstrap
from brightrun.api.app import build_api, owner_of
from brightrun.api.generation_models import (
    BatchAccepted,
    BatchRequest,
    SingleAccepted,
    SingleRequest,
    TemplateRequest,
)

api = build_api()

IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", min_length=1, max_length=255)
]


@api.post("/api/conversations/generate-batch", status_code=202, tags=["Generation"])
def generate_batch(
    body: Annotated[BatchRequest, Body()], idempotency_key: IdempotencyKey = None
) -> BatchAccepted:
    """Create a batch of conversations from parameter sets or a selection."""
    creator = bootstrap.batch_creator()
    return BatchAccepted.of(creator.create(owner_of(api), body.order(), idempotency_key))


@api.post("/api/conversations/generate-with-scaffolding", status_code=202, tags=["Generation"])
def generate_with_scaffolding(
    body: Annotated[SingleRequest, Body()], idempotency_key: IdempotencyKey = None
) -> SingleAccepted:
    """Create one conversation from a persona, an arc and a topic."""
    creator = bootstrap.batch_creator()
    return SingleAccepted.of(creator.create(owner_of(api), body.order(), idempotency_key))


@api.post("/api/conversations/generate", status_code=202, tags=["Generation"])
def generate(
    body: Annotated[TemplateRequest, Body()], idempotency_key: IdempotencyKey = None
) -> SingleAccepted:
    """Create one conversation from a template."""
    creator = bootstrap.batch_creator()
    return SingleAccepted.of(creator.create(owner_of(api), body.order(), idempotency_key))


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway request."""
    return api.resolve(event, context)
