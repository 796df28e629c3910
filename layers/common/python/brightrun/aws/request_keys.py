"""Idempotency keys in DynamoDB: which job a request created, for a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from brightrun.aws.dynamodb import from_wire, to_wire, translated
from brightrun.core.errors import ContentionError, IdempotencyKeyReusedError
from brightrun.core.ids import made_at_ms
from brightrun.core.timestamps import epoch_ms

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class RequestKeys(Protocol):
    """Which job the request with an Idempotency-Key created, kept for KEPT_FOR.

    Names of other things that an owner's requests share stand among them: judgements that a job has
    reserved, answers that can be reused. Every method raises StorageError when DynamoDB fails.
    """

    def find(self, owner_id: str, key: str, fingerprint: str, now: datetime) -> str | None:
        """Return the job that an earlier request bound the key to; None for a free key.

        Raises IdempotencyKeyReusedError if that request had a different `fingerprint`.
        """

    def job_for(self, owner_id: str, key: str, fingerprint: str, job_id: str, now: datetime) -> str:
        """Return the job of an earlier request with this key, or bind the key to `job_id`.

        Raises IdempotencyKeyReusedError if that request had a different `fingerprint`.
        """

    def rebind(
        self, owner_id: str, key: str, fingerprint: str, job_id: str, given_up: str, now: datetime
    ) -> str:
        """Bind a key to `job_id` if it is still bound to `given_up`; return the job it is bound to.

        For a key whose first request died before it stored its job: items under the old job id may
        exist, so a repeated request gets a new id. Raises IdempotencyKeyReusedError as `job_for`.
        """


KEPT_FOR = timedelta(hours=24)
ANSWERS_KEPT_FOR = timedelta(days=30)
"""How long an answer of Claude can be reused, unless its conversation is deleted earlier."""
MAX_REQUEST_S = 30
"""Seconds after which a request cannot store anything any more: its Lambda stops at 29 s."""


def request_has_ended(made_id: str, now: datetime) -> bool:
    """Whether the request that made a time-ordered id can no longer store its job."""
    return epoch_ms(now) - made_at_ms(made_id) >= MAX_REQUEST_S * 1000


_FREE = "attribute_not_exists(idempotency_key) OR expires_at < :now"


class DynamoRequestKeys(RequestKeys):
    """Idempotency keys in DynamoDB; the table's time-to-live deletes expired ones."""

    def __init__(self, client: DynamoDBClient, table: str, kept_for: timedelta = KEPT_FOR) -> None:
        self._client = client
        self._table = table
        self._kept_for = kept_for

    def find(self, owner_id: str, key: str, fingerprint: str, now: datetime) -> str | None:
        row = self._row(owner_id, key)
        if row is None or row["expires_at"] < int(now.timestamp()):
            return None
        return _job(row, fingerprint)

    def job_for(self, owner_id: str, key: str, fingerprint: str, job_id: str, now: datetime) -> str:
        row = self._new_row(owner_id, key, fingerprint, job_id, now)
        return self._bind(row, _FREE, {":now": int(now.timestamp())})

    def rebind(
        self, owner_id: str, key: str, fingerprint: str, job_id: str, given_up: str, now: datetime
    ) -> str:
        row = self._new_row(owner_id, key, fingerprint, job_id, now)
        return self._bind(row, "job_id = :given_up", {":given_up": given_up})

    def _new_row(
        self, owner_id: str, key: str, fingerprint: str, job_id: str, now: datetime
    ) -> dict[str, str | int]:
        return {
            "owner_id": owner_id,
            "idempotency_key": key,
            "fingerprint": fingerprint,
            "job_id": job_id,
            "expires_at": int((now + self._kept_for).timestamp()),
        }

    def _bind(self, row: dict[str, Any], condition: str, values: dict[str, Any]) -> str:
        try:
            with translated("PutItem"):
                self._client.put_item(
                    TableName=self._table,
                    Item=to_wire(row),
                    ConditionExpression=condition,
                    ExpressionAttributeValues=to_wire(values),
                )
        except ClientError as error:
            bound = self._row(row["owner_id"], row["idempotency_key"])
            if bound is None:
                raise ContentionError("GetItem", "the key expired while it was read") from error
            return _job(bound, row["fingerprint"])
        return str(row["job_id"])

    def _row(self, owner_id: str, key: str) -> dict[str, Any] | None:
        with translated("GetItem"):
            answer = self._client.get_item(
                TableName=self._table,
                Key=to_wire({"owner_id": owner_id, "idempotency_key": key}),
                ConsistentRead=True,
            )
        return from_wire(answer["Item"]) if "Item" in answer else None


def _job(row: Mapping[str, Any], fingerprint: str) -> str:
    if row["fingerprint"] != fingerprint:
        raise IdempotencyKeyReusedError(
            "This Idempotency-Key was used with a different request; use a new key."
        )
    return str(row["job_id"])
