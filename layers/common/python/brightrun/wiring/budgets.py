"""The budgets, for the functions that place orders and for those that end them."""

from __future__ import annotations

from pydantic import Field

from brightrun.aws.budgets import DynamoBudgets
from brightrun.core.budgets import Limits
from brightrun.core.settings import Settings
from brightrun.wiring import clients


class BudgetSettings(Settings):
    """The budgets of a deployment, in US dollars a calendar month; None: no limit."""

    budgets_table: str
    owner_budget_usd: float | None = Field(default=None, ge=0)
    deployment_budget_usd: float | None = Field(default=None, ge=0)

    @property
    def limits(self) -> Limits:
        """The limits for the services."""
        return Limits.of_usd(self.owner_budget_usd, self.deployment_budget_usd)


def budgets(settings: BudgetSettings) -> DynamoBudgets:
    """Open the budgets with their limits, for new orders."""
    return DynamoBudgets(clients.dynamodb(), settings.budgets_table, settings.limits)


def budgets_without_limits(table: str) -> DynamoBudgets:
    """Open the budgets for a function that only ends orders."""
    return DynamoBudgets(clients.dynamodb(), table)
