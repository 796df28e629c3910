"""Which workers call Claude now, and how many calls all of them together may have in flight.

They are rows of the table of request keys, whose time-to-live deletes expired rows: a partition for
each Claude model, since Claude limits each model by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from brightrun.aws.dynamodb import from_wire, to_wire, translated
from brightrun.aws.transactions import update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

COUNTED_FOR = timedelta(seconds=35)
"""After its last report a worker counts as running for so long: three reports and a bit."""
LEARNED_FOR = timedelta(minutes=10)
"""After the last refusal the learned limit holds for so long."""


@dataclass(frozen=True, slots=True)
class RunningWorker:
    """A worker that calls a model; `limit` of its calls may be in flight, `most` is ordered."""

    model: str
    owner_id: str
    token: str
    most: int
    limit: float


@dataclass(frozen=True, slots=True)
class Running:
    """The running workers of a model and their limit together; None while none is known."""

    workers: Sequence[RunningWorker]
    limit: float | None


class RunningWorkers(Protocol):
    """The workers that run now, by model. Every method raises StorageError."""

    def report(self, worker: RunningWorker, now: datetime) -> Running:
        """Count a worker as running for COUNTED_FOR; return all of its model, it included."""

    def learn(
        self, model: str, change: float, now: datetime, *, refused: bool, otherwise: float
    ) -> float | None:
        """Change the limit of all workers together, and return it; changes may come in any order.

        After a refusal it holds for another LEARNED_FOR, and is `otherwise` if none was known; None
        if none was, and nothing was refused.
        """

    def leave(self, worker: RunningWorker) -> None:
        """Count a worker no longer; one that dies is counted until it expires."""


_LIMIT = "limit"
"""The sort key of the limit; workers have tokens there."""
_WORKER = "worker#"
_UNIT = 1000
"""Limits are stored in thousandths of a call, so that sums are exact."""


class DynamoRunningWorkers(RunningWorkers):
    """A row for each worker, and one for the limit of all."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def report(self, worker: RunningWorker, now: datetime) -> Running:
        fields = {
            "worker_of": worker.owner_id,
            "most": worker.most,
            "thousandths": round(worker.limit * _UNIT),
            "expires_at": _second(now + COUNTED_FOR),
        }
        key = _key(worker.model, _WORKER + worker.token)
        with translated("UpdateItem"):
            self._client.update_item(**update(self._table, key, set_to=fields, condition=""))
        return self._running(worker.model, now)

    def learn(
        self, model: str, change: float, now: datetime, *, refused: bool, otherwise: float
    ) -> float | None:
        until = {"expires_at": _second(now + LEARNED_FOR)} if refused else {}
        changed = {"add": {"thousandths": round(change * _UNIT)}, "set_to": until}
        first = {"set_to": {"thousandths": round(otherwise * _UNIT), **until}}
        known = "#expires_at > :now"
        unknown = "attribute_not_exists(#expires_at) OR #expires_at <= :now"
        writes: list[tuple[dict[str, Any], str]] = [(changed, known)]
        if refused:  # The third is for one who was not the first to learn it.
            writes += [(first, unknown), (changed, known)]
        for fields, condition in writes:
            limit = self._write_limit(model, fields, condition, now)
            if limit is not None:
                return limit
        return None

    def leave(self, worker: RunningWorker) -> None:
        key = _key(worker.model, _WORKER + worker.token)
        with translated("DeleteItem"):
            self._client.delete_item(TableName=self._table, Key=to_wire(key))

    def _write_limit(
        self, model: str, fields: dict[str, Any], condition: str, now: datetime
    ) -> float | None:
        values = {"now": _second(now)}
        write = update(
            self._table, _key(model, _LIMIT), **fields, condition=condition, values=values
        )
        try:
            with translated("UpdateItem"):
                answer = self._client.update_item(**write, ReturnValues="ALL_NEW")
        except ClientError:
            return None
        return float(from_wire(answer["Attributes"])["thousandths"]) / _UNIT

    def _running(self, model: str, now: datetime) -> Running:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="owner_id = :model",
            ExpressionAttributeValues=to_wire({":model": _partition(model)}),
            ConsistentRead=True,
        )
        with translated("Query"):
            rows = [from_wire(row) for page in pages for row in page["Items"]]
        current = [row for row in rows if row["expires_at"] > _second(now)]
        limits = [row["thousandths"] / _UNIT for row in current if row["idempotency_key"] == _LIMIT]
        return Running(
            [_worker(model, row) for row in current if row["idempotency_key"] != _LIMIT],
            limits[0] if limits else None,
        )


def _worker(model: str, row: dict[str, Any]) -> RunningWorker:
    token = row["idempotency_key"].removeprefix(_WORKER)
    return RunningWorker(model, row["worker_of"], token, row["most"], row["thousandths"] / _UNIT)


def _partition(model: str) -> str:
    """No owner has such an id."""
    return f"#calls#{model}"


def _key(model: str, name: str) -> dict[str, str]:
    return {"owner_id": _partition(model), "idempotency_key": name}


def _second(time: datetime) -> int:
    return int(time.timestamp())
