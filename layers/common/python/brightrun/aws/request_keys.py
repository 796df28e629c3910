"""Idempotency keys in DynamoDB: which job a request made, for a day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from brightrun.aws.dynamodb import from_wire, to_wire, translated
from brightrun.core.errors import IdempotencyKeyReusedError, StorageError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class RequestKeys(Protocol):
    """Remembers which job an Idempotency-Key made."""

    def job_for(self, owner_id: str, key: str, fingerprint: str, job_id: str, now: datetime) -> str:
        """Give the job of an earlier request with this key, else bind the key to `job_id`.

        Raises IdempotencyKeyReusedError when the earlier request was another one.
        """

    def rebind(
        self, owner_id: str, key: str, fingerprint: str, job_id: str, given_up: str, now: datetime
    ) -> str:
        """Bind a key to `job_id` if it is still bound to the job `given_up`; give what it is then.

        For a request that died before its job was stored.
        """


KEPT_FOR = timedelta(hours=24)
_FREE = "attribute_not_exists(idempotency_key) OR expires_at < :now"


class DynamoRequestKeys:
    """ports.RequestKeys; the table's time-to-live removes what is older than KEPT_FOR."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def job_for(self, owner_id: str, key: str, fingerprint: str, job_id: str, now: datetime) -> str:
        """Give the job of an earlier request with this key, else bind the key to `job_id`.

        Raises IdempotencyKeyReusedError when the earlier request was another one, StorageError.
        """
        row = _row(owner_id, key, fingerprint, job_id, now)
        return self._bound(row, _FREE, {":now": int(now.timestamp())})

    def rebind(
        self, owner_id: str, key: str, fingerprint: str, job_id: str, given_up: str, now: datetime
    ) -> str:
        """Bind a key to `job_id` if it is still bound to the job `given_up`; give what it is then.

        What a request that died half way stored under its own job id is no job's, so that a
        repetition need not be the same to the item. Raises StorageError.
        """
        row = _row(owner_id, key, fingerprint, job_id, now)
        return self._bound(row, "job_id = :given_up", {":given_up": given_up})

    def _bound(self, row: dict[str, Any], condition: str, values: dict[str, Any]) -> str:
        try:
            with translated("PutItem"):
                self._client.put_item(
                    TableName=self._table,
                    Item=to_wire(row),
                    ConditionExpression=condition,
                    ExpressionAttributeValues=to_wire(values),
                )
        except ClientError:
            return self._earlier(row["owner_id"], row["idempotency_key"], row["fingerprint"])
        return str(row["job_id"])

    def _earlier(self, owner_id: str, key: str, fingerprint: str) -> str:
        with translated("GetItem"):
            answer = self._client.get_item(
                TableName=self._table,
                Key=to_wire({"owner_id": owner_id, "idempotency_key": key}),
                ConsistentRead=True,
            )
        if "Item" not in answer:
            raise StorageError("GetItem", "the idempotency key expired while it was read")
        row = from_wire(answer["Item"])
        if row["fingerprint"] != fingerprint:
            raise IdempotencyKeyReusedError(
                "This Idempotency-Key came with another request before; use a new key."
            )
        return str(row["job_id"])


def _row(
    owner_id: str, key: str, fingerprint: str, job_id: str, now: datetime
) -> dict[str, str | int]:
    return {
        "owner_id": owner_id,
        "idempotency_key": key,
        "fingerprint": fingerprint,
        "job_id": job_id,
        "expires_at": int((now + KEPT_FOR).timestamp()),
    }
