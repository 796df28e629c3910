"""What DynamoDB refuses while others write, or because a row is too large."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from brightrun.conversations.repository import DynamoConversations
from brightrun.core.errors import RecordTooLargeError, StorageError
from tests import builders as build
from tests.aws import Aws
from tests.builders import OWNER
from tests.fakes.conversations import a_record


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


def test_a_row_that_is_too_large_is_named_and_not_a_failed_service(aws: Aws) -> None:
    with pytest.raises(RecordTooLargeError, match="400 KB"):
        DynamoConversations(aws.dynamodb, "ConversationsTable").add(
            a_record("one", review_notes="long" * 110_000)
        )


def test_a_row_that_is_too_large_for_a_transaction_is_named_too(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = build.a_plan(1)
    job = build.a_job(planned)
    aws.batches.create(job, planned.items)
    reasons: list[Any] = [
        {"Code": "None"},
        {
            "Code": "ValidationError",
            "Message": "Item size to update has exceeded the maximum allowed size",
        },
    ]

    def refusing(operation: str, _: dict[str, Any]) -> Any:
        raise ClientError(
            {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons},
            operation,
        )

    monkeypatch.setattr(aws.dynamodb, "_make_api_call", refusing)
    lease = build.a_lease("worker")
    with pytest.raises(RecordTooLargeError):
        aws.claims.claim(planned.items, lease, build.lines_for(planned.items), build.START)
