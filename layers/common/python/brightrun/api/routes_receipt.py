"""The route that says, before anybody pays, what a model will see of a dataset."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.api.app import owner_of
from brightrun.api.receipt_models import ReceiptAnswer, ReceiptRequest
from brightrun.api.shapes import RecordId
from brightrun.bootstrap import receipt as bootstrap_receipt

router = APIGatewayHttpRouter()


@router.post("/api/datasets/<dataset_id>/receipt", tags=["Datasets"])
def write_receipt(dataset_id: RecordId, body: ReceiptRequest) -> ReceiptAnswer:
    """Count what the base model will see, with the trainer's own code.

    A dataset above 10 MB is counted in part, by whole conversations, and the answer says so.
    """
    model, receipt = bootstrap_receipt.receipt_writer().write(
        owner_of(router), dataset_id, body.order()
    )
    return ReceiptAnswer.of(dataset_id, model, receipt)
