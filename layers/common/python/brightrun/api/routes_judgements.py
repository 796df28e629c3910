"""The route that has conversations judged by another model."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.api.app import owner_of
from brightrun.api.judgement_models import JudgementRequest, JudgementsAccepted
from brightrun.api.shapes import IdempotencyKey
from brightrun.bootstrap import judgement as bootstrap_judgement

router = APIGatewayHttpRouter()


@router.post("/api/conversations/judge", status_code=202, tags=["Generation"])
def judge_conversations(
    body: JudgementRequest, idempotency_key: IdempotencyKey = None
) -> JudgementsAccepted:
    """Have up to 100 conversations judged, as a batch job like any other; it costs money.

    What comes of it is advice on each conversation: no score and no review changes.
    """
    desk = bootstrap_judgement.judgement_desk()
    return JudgementsAccepted.of(desk.order(owner_of(router), body.order(), idempotency_key))
