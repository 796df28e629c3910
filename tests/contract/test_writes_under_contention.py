"""What DynamoDB refuses while others write, which moto never does by itself."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from brightrun.core.errors import StorageError
from tests import builders as build
from tests.aws import Aws
from tests.builders import OWNER


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brightrun.aws.transactions.time.sleep", lambda _: None)


def held_by_a_transaction(aws: Aws, monkeypatch: pytest.MonkeyPatch, times: int) -> list[str]:
    """Refuse the next single updates as DynamoDB does while a transaction holds their record."""
    refused: list[str] = []
    call = aws.dynamodb._make_api_call

    def refusing(operation: str, arguments: dict[str, Any]) -> Any:
        if operation == "UpdateItem" and len(refused) < times:
            refused.append(operation)
            raise ClientError({"Error": {"Code": "TransactionConflictException"}}, operation)
        return call(operation, arguments)

    monkeypatch.setattr(aws.dynamodb, "_make_api_call", refusing)
    return refused


def test_a_worker_gets_its_items_although_others_are_counting_on_the_job(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = build.a_plan(3)
    job = build.a_job(planned)
    aws.batches.create(job, planned.items)
    refused = held_by_a_transaction(aws, monkeypatch, times=4)
    items = aws.claims.next_items(OWNER, job.job_id, 2)
    assert [item.position for item in items] == [1, 2]
    assert len(refused) == 4
    assert aws.batches.job(OWNER, job.job_id).claim_cursor == 2


def test_a_job_that_is_never_free_is_reported_and_not_waited_for_without_end(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = build.a_plan(1)
    job = build.a_job(planned)
    aws.batches.create(job, planned.items)
    held_by_a_transaction(aws, monkeypatch, times=1000)
    with pytest.raises(StorageError, match="conflicts"):
        aws.claims.next_items(OWNER, job.job_id, 1)
