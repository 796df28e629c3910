"""Budgets: what an owner, and a deployment, may spend in a calendar month, and what is left of it.

An order holds the most that it can cost until it ends; what it did not spend is then given back:

    committed = spent + reserved for orders in progress <= budget

Amounts are millionths of a US dollar. Months are UTC; an order counts in the month in which it was
placed, whenever it ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from brightrun.core.errors import ConflictError

Work = Literal["writing", "training"]
"""What Claude bills (judging is part of writing), and what SageMaker bills."""
Scope = Literal["owner", "deployment"]
SCOPES: tuple[Scope, ...] = ("owner", "deployment")
SETTINGS: Mapping[Scope, str] = {"owner": "OwnerBudgetUsd", "deployment": "DeploymentBudgetUsd"}
"""The deployment's parameters, which raise a budget."""


class BudgetExceededError(ConflictError):
    """The order may cost more than is left of a month's budget; `details` hold all amounts."""

    code = "budget_exceeded"


@dataclass(frozen=True, slots=True)
class Limits:
    """The budgets of a month, an owner's and that of all owners together; None: no limit."""

    owner: int | None = None
    deployment: int | None = None

    @classmethod
    def of_usd(cls, owner: float | None, deployment: float | None) -> Limits:
        """The limits in US dollars, as a deployment's settings have them."""
        return cls(_micro_usd(owner), _micro_usd(deployment))

    @property
    def are_set(self) -> bool:
        """Whether there is any: an order then needs an upper bound on what it can cost."""
        return self.owner is not None or self.deployment is not None

    def of(self, scope: Scope) -> int | None:
        """The limit of one scope."""
        return self.owner if scope == "owner" else self.deployment


@dataclass(frozen=True, slots=True)
class Reservation:
    """What an order holds of the budgets of the month in which it was placed."""

    owner_id: str
    month: str
    work: Work
    micro_usd: int


@dataclass(frozen=True, slots=True)
class Budget:
    """One budget in one month (YYYY-MM); `limit` is None where only spending is counted."""

    scope: Scope
    month: str
    limit: int | None
    spent: Mapping[Work, int] = field(default_factory=dict)
    reserved: Mapping[Work, int] = field(default_factory=dict)

    @property
    def left(self) -> int | None:
        """What further orders may reserve, at least 0; None without a limit."""
        if self.limit is None:
            return None
        return max(0, self.limit - sum(self.spent.values()) - sum(self.reserved.values()))

    def require(self, micro_usd: int) -> None:
        """Raise BudgetExceededError if an order that may cost so much does not fit."""
        if self.left is not None and micro_usd > self.left:
            raise self.exceeded(micro_usd)

    def exceeded(self, micro_usd: int) -> BudgetExceededError:
        """The refusal of an order that may cost so much: what is spent, reserved and left."""
        spent, reserved = sum(self.spent.values()), sum(self.reserved.values())
        whose = "your budget" if self.scope == "owner" else "the deployment's budget"
        limit, left = self.limit or 0, self.left or 0
        return BudgetExceededError(
            f"The order may cost up to {_dollars(micro_usd)}. Of {whose} of {_dollars(limit)} for "
            f"{self.month} (UTC), {_dollars(spent)} are spent and {_dollars(reserved)} are reserved"
            f" for orders in progress: {_dollars(left)} are left. Order less or with a lower cap, "
            "wait until orders in progress give back what they do not spend, or let the operator "
            f"raise {SETTINGS[self.scope]} of the deployment.",
            details={
                "budget": self.scope,
                "month": self.month,
                "limit_usd": limit / 1e6,
                "spent_usd": spent / 1e6,
                "reserved_usd": reserved / 1e6,
                "left_usd": left / 1e6,
                "needed_usd": micro_usd / 1e6,
            },
        )


def month_of(now: datetime) -> str:
    """The month of a time in UTC, as YYYY-MM."""
    return f"{now:%Y-%m}"


def _micro_usd(usd: float | None) -> int | None:
    return None if usd is None else round(usd * 1e6)


def _dollars(micro_usd: int) -> str:
    return f"${micro_usd / 1e6:,.2f}"
