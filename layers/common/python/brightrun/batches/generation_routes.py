"""The routes that create batch jobs: to generate conversations, and to judge existing ones."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.batches.create_batch import BatchCreator, BatchRequest, CreatedBatch
from brightrun.batches.create_judgements import JudgementCreator
from brightrun.batches.generation_schemas import (
    BatchAccepted,
    BatchBody,
    BatchPreviewResponse,
    JudgementsAccepted,
    JudgementsBody,
    SingleAccepted,
    SingleBody,
    TemplateBody,
)
from brightrun.http.app import owner_of, service
from brightrun.http.schemas import IdempotencyKey

router = APIGatewayHttpRouter()


@router.post("/api/conversations/generate-batch", status_code=202, tags=["Generation"])
def generate_batch(body: BatchBody, idempotency_key: IdempotencyKey = None) -> BatchAccepted:
    """Create a batch of conversations from parameter sets or a selection."""
    return BatchAccepted.from_domain(_create(body.to_request(), idempotency_key))


@router.post("/api/conversations/generate-batch/preview", tags=["Generation"])
def preview_batch(body: BatchBody) -> BatchPreviewResponse:
    """Plan a batch without storing anything: size, price, time, and all that is missing."""
    preview = service(router, BatchCreator).preview(owner_of(router), body.to_request())
    return BatchPreviewResponse.from_domain(preview)


@router.post("/api/conversations/generate-with-scaffolding", status_code=202, tags=["Generation"])
def generate_with_scaffolding(
    body: SingleBody, idempotency_key: IdempotencyKey = None
) -> SingleAccepted:
    """Create one conversation from a persona, an arc and a topic."""
    return SingleAccepted.from_domain(_create(body.to_request(), idempotency_key))


@router.post("/api/conversations/generate", status_code=202, tags=["Generation"])
def generate(body: TemplateBody, idempotency_key: IdempotencyKey = None) -> SingleAccepted:
    """Create one conversation from a template."""
    return SingleAccepted.from_domain(_create(body.to_request(), idempotency_key))


def _create(request: BatchRequest, idempotency_key: str | None) -> CreatedBatch:
    return service(router, BatchCreator).create(owner_of(router), request, idempotency_key)


@router.post("/api/conversations/judge", status_code=202, tags=["Generation"])
def judge_conversations(
    body: JudgementsBody, idempotency_key: IdempotencyKey = None
) -> JudgementsAccepted:
    """Judge up to 100 conversations with another Claude model, in a batch job; this costs money.

    A judgement is advice on a conversation: its score and its review do not change.
    """
    created = service(router, JudgementCreator).create(
        owner_of(router), body.to_request(), idempotency_key
    )
    return JudgementsAccepted.from_domain(created)
