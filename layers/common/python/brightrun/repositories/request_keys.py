"""Idempotency keys in DynamoDB: which job a request made, for a day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from brightrun.errors import IdempotencyKeyReusedError, StorageError
from brightrun.repositories.dynamodb import from_wire, to_wire, translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

KEPT_FOR = timedelta(hours=24)
_FREE = "attribute_not_exists(idempotency_key) OR expires_at < :now"


class DynamoRequestKeys:
    """ports.RequestKeys; the table's time-to-live removes what is older than KEPT_FOR."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def job_for(self, owner_id: str, key: str, fingerprint: str, job_id: str, now: datetime) -> str:
        """Give the job of an earlier request with this key, else bind the key to `job_id`.

        Everything after this is safe to repeat under the same job id, so a request that died half
        way is finished by its repetition. Raises IdempotencyKeyReusedError when the earlier
        request was another one, StorageError.
        """
        row = {
            "owner_id": owner_id,
            "idempotency_key": key,
            "fingerprint": fingerprint,
            "job_id": job_id,
            "expires_at": int((now + KEPT_FOR).timestamp()),
        }
        try:
            with translated("PutItem"):
                self._client.put_item(
                    TableName=self._table,
                    Item=to_wire(row),
                    ConditionExpression=_FREE,
                    ExpressionAttributeValues=to_wire({":now": int(now.timestamp())}),
                )
        except ClientError:
            return self._earlier(owner_id, key, fingerprint)
        return job_id

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
