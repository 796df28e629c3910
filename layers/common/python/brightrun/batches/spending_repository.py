"""What batch jobs have spent on Claude, by day: from the counters on the jobs' rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from brightrun.aws.dynamodb import from_wire, to_wire, translated
from brightrun.batches.model import BatchJob
from brightrun.batches.repository import job_of
from brightrun.core.ids import first_id_at

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


@dataclass(frozen=True, slots=True)
class JobSpending:
    """What one job spent on one day, in UTC and in millionths of a US dollar.

    For a simulated answer this is what Claude's would have cost.
    """

    job: BatchJob
    day: date
    micro_usd: int
    simulated: bool


class SpendingRepository(Protocol):
    """What batch jobs have spent; whatever they spent it on may be deleted since."""

    def between(self, owner_id: str, first: date, last: date) -> Iterator[JobSpending]:
        """Yield what each job spent on the days from `first` to `last`, both included.

        Includes items that failed and those that were paid for again. Raises StorageError.
        """


def spending_attribute(day: str, simulated: bool) -> str:
    """The attribute of a job's row that counts what it spent on a day (YYYY-MM-DD, UTC).

    In millionths of a US dollar, beside `cost_micro_usd`, which counts all days.
    """
    return f"{'simulated' if simulated else 'spent'}_on_{day.replace('-', '')}"


_DAY = re.compile(r"(spent|simulated)_on_(\d{4})(\d{2})(\d{2})")


class DynamoSpending(SpendingRepository):
    """Reads the rows of jobs, about 1,000 in a read, and of no item or conversation."""

    def __init__(self, client: DynamoDBClient, jobs_table: str) -> None:
        self._client = client
        self._table = jobs_table

    def between(self, owner_id: str, first: date, last: date) -> Iterator[JobSpending]:
        # A job may spend long after it was created, when failed items are retried, never before.
        after = datetime.combine(last + timedelta(days=1), time(), UTC)
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="owner_id = :owner AND job_id < :after",
            FilterExpression="cost_micro_usd > :nothing",
            ExpressionAttributeValues=to_wire(
                {":owner": owner_id, ":after": first_id_at(after), ":nothing": 0}
            ),
        )
        with translated("Query"):
            for page in pages:
                for row in page["Items"]:
                    yield from (
                        one for one in _spending_of(from_wire(row)) if first <= one.day <= last
                    )


def _spending_of(row: Mapping[str, Any]) -> Iterator[JobSpending]:
    """What a job spent, by day; what was counted before days were, on the day of its creation."""
    job = job_of(row)
    spent: Counter[tuple[date, bool]] = Counter()
    for name, amount in row.items():
        if found := _DAY.fullmatch(name):
            kind, *day = found.groups()
            spent[date(*map(int, day)), kind == "simulated"] += amount
    created = date.fromisoformat(job.created_at[:10])
    spent[created, job.simulated] += job.cost_micro_usd - spent.total()
    for (day_of, simulated), micro_usd in sorted(spent.items()):
        if micro_usd:
            yield JobSpending(job, day_of, micro_usd, simulated)
