"""Budgets in DynamoDB: one row for each month of an owner, and one for each of the deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, get_args

from brightrun.aws.dynamodb import from_wire, to_wire, translated
from brightrun.aws.transactions import update
from brightrun.core.budgets import (
    SCOPES,
    Budget,
    BudgetExceededError,
    Limits,
    Reservation,
    Scope,
    Work,
)
from brightrun.core.errors import ContentionError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_DEPLOYMENT = "deployment"
"""The deployment's partition; an owner's id never is that, because Cognito's are UUIDs."""
_WORK: tuple[Work, ...] = get_args(Work)


class Budgets(Protocol):
    """What has been spent and reserved in a month."""

    @property
    def limits(self) -> Limits:
        """The budgets of every month."""

    def of_month(self, owner_id: str, month: str) -> list[Budget]:
        """Read an owner's budget and the deployment's, strongly consistent; raises StorageError."""

    def require(self, wanted: Reservation) -> None:
        """Raise BudgetExceededError if a reservation does not fit now; raises StorageError."""


class DynamoBudgets(Budgets):
    """Budgets whose changes are operations in the transactions that store an order and end it.

    `committed_micro_usd` is the sum of the other counters: a condition cannot add them up. The
    functions that neither place an order nor end one name no `table`.
    """

    def __init__(
        self, client: DynamoDBClient, table: str = "", limits: Limits | None = None
    ) -> None:
        self._client = client
        self._table = table
        self._limits = limits or Limits()

    @property
    def limits(self) -> Limits:
        return self._limits

    def of_month(self, owner_id: str, month: str) -> list[Budget]:
        return [self._read(scope, owner_id, month) for scope in SCOPES]

    def require(self, wanted: Reservation) -> None:
        if self._limits.are_set:
            for budget in self.of_month(wanted.owner_id, wanted.month):
                budget.require(wanted.micro_usd)

    def reserving(self, wanted: Reservation | None) -> list[dict[str, Any]]:
        """The operations that reserve, in the owner's budget and in the deployment's, within both.

        There are none for an order that can cost nothing.
        """
        if wanted is None or not wanted.micro_usd:
            return []
        counters = {f"{wanted.work}_reserved": wanted.micro_usd}
        return [self._count(scope, wanted, counters, self._limits.of(scope)) for scope in SCOPES]

    def settling(self, held: Reservation | None, spent: int) -> list[dict[str, Any]]:
        """The operations that replace a reservation by what was spent of it."""
        if held is None or not (held.micro_usd or spent):
            return []
        counters = {f"{held.work}_reserved": -held.micro_usd, f"{held.work}_spent": spent}
        return [self._count(scope, held, counters, None) for scope in SCOPES]

    def refused(self, wanted: Reservation) -> BudgetExceededError | ContentionError:
        """Why the conditions of `reserving` failed; a budget that has room again is contention."""
        try:
            self.require(wanted)
        except BudgetExceededError as error:
            return error
        return ContentionError("TransactWriteItems", "the budgets changed meanwhile")

    def _count(
        self,
        scope: Scope,
        order: Reservation,
        counters: dict[str, int],
        limit: int | None,
    ) -> dict[str, Any]:
        committed = sum(counters.values())
        condition, values = "", {}
        if limit is not None:
            values = {"ceiling": limit - committed}
            condition = "#committed_micro_usd <= :ceiling"
            if committed <= limit:
                condition += " OR attribute_not_exists(#committed_micro_usd)"
        return {
            "Update": update(
                self._table,
                _key(scope, order.owner_id, order.month),
                add={
                    name: amount
                    for name, amount in {**counters, "committed_micro_usd": committed}.items()
                    if amount
                },
                condition=condition,
                values=values,
            )
        }

    def _read(self, scope: Scope, owner_id: str, month: str) -> Budget:
        with translated("GetItem"):
            answer = self._client.get_item(
                TableName=self._table,
                Key=to_wire(_key(scope, owner_id, month)),
                ConsistentRead=True,
            )
        row = from_wire(answer.get("Item", {}))
        return Budget(
            scope,
            month,
            self._limits.of(scope),
            spent={work: row.get(f"{work}_spent", 0) for work in _WORK},
            reserved={work: row.get(f"{work}_reserved", 0) for work in _WORK},
        )


def _key(scope: Scope, owner_id: str, month: str) -> dict[str, str]:
    return {"budget": owner_id if scope == "owner" else _DEPLOYMENT, "month": month}
