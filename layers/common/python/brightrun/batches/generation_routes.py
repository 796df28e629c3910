"""The routes that create batch jobs: to generate conversations, and to judge existing ones."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.batches.create_batch import BatchCreator, BatchRequest, CreatedBatch
from brightrun.batches.generation_schemas import (
    BatchAccepted,
    BatchBody,
    JudgementsAccepted,
    JudgementsBody,
    SingleAccepted,
    SingleBody,
    TemplateBody,
)
from brightrun.batches.judgements import JudgementService
from brightrun.http.app import owner_of, service
from brightrun.http.schemas import IdempotencyKey

router = APIGatewayHttpRouter()


@router.post("/api/conversations/generate-batch", status_code=202, tags=["Generation"])
def generate_batch(body: BatchBody, idempotency_key: IdempotencyKey = None) -> BatchAccepted:
    """Create a batch of conversations from parameter sets or a selection."""
    return BatchAccepted.from_domain(_create(body.order(), idempotency_key))


@router.post("/api/conversations/generate-with-scaffolding", status_code=202, tags=["Generation"])
def generate_with_scaffolding(
    body: SingleBody, idempotency_key: IdempotencyKey = None
) -> SingleAccepted:
    """Create one conversation from a persona, an arc and a topic."""
    return SingleAccepted.from_domain(_create(body.order(), idempotency_key))


@router.post("/api/conversations/generate", status_code=202, tags=["Generation"])
def generate(body: TemplateBody, idempotency_key: IdempotencyKey = None) -> SingleAccepted:
    """Create one conversation from a template."""
    return SingleAccepted.from_domain(_create(body.order(), idempotency_key))


def _create(order: BatchRequest, idempotency_key: str | None) -> CreatedBatch:
    return service(router, BatchCreator).create(owner_of(router), order, idempotency_key)


@router.post("/api/conversations/judge", status_code=202, tags=["Generation"])
def judge_conversations(
    body: JudgementsBody, idempotency_key: IdempotencyKey = None
) -> JudgementsAccepted:
    """Have up to 100 conversations judged, as a batch job like any other; it costs money.

    What comes of it is advice on each conversation: no score and no review changes.
    """
    desk = service(router, JudgementService)
    return JudgementsAccepted.from_domain(
        desk.order(owner_of(router), body.order(), idempotency_key)
    )
