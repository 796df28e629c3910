"""The route for receipts: what a base model will see of a dataset, before a job is paid for."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.datasets.receipts.schemas import ReceiptBody, ReceiptResponse
from brightrun.datasets.receipts.service import ReceiptWriter
from brightrun.http.app import owner_of, service
from brightrun.http.schemas import RecordId

router = APIGatewayHttpRouter()


@router.post("/api/datasets/<dataset_id>/receipt", tags=["Datasets"])
def write_receipt(dataset_id: RecordId, body: ReceiptBody) -> ReceiptResponse:
    """Count what the base model will see, with the trainer's own code.

    Of a dataset above 10 MB a sample of whole conversations is counted; `method` is then `sampled`.
    """
    model, receipt = service(router, ReceiptWriter).write(
        owner_of(router), dataset_id, body.to_request()
    )
    return ReceiptResponse.from_domain(dataset_id, model, receipt)
