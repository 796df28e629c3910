"""Composition of the costs function."""

from __future__ import annotations

from pydantic import Field

from brightrun.http.app import Services
from brightrun.training.costs.repository import DynamoCostRecords
from brightrun.training.costs.service import BudgetReader, CostSummer
from brightrun.wiring import clients
from brightrun.wiring.batch_tables import spending
from brightrun.wiring.budgets import BudgetSettings, budgets


class CostsSettings(BudgetSettings):
    """The environment of the costs function."""

    cost_records_table: str
    batch_jobs_table: str
    training_price_without_cap_usd: float = Field(ge=0)


def cost_summer() -> CostSummer:
    """Compose the service that adds up costs."""
    settings = CostsSettings.from_environment()
    return CostSummer(
        costs=DynamoCostRecords(clients.dynamodb(), settings.cost_records_table),
        spending=spending(settings.batch_jobs_table),
        clock=clients.clock,
    )


def budget_reader() -> BudgetReader:
    """Compose the service that shows budgets."""
    settings = CostsSettings.from_environment()
    return BudgetReader(
        budgets=budgets(settings),
        clock=clients.clock,
        most_usd_without_cap=settings.training_price_without_cap_usd,
    )


SERVICES: Services = {BudgetReader: budget_reader, CostSummer: cost_summer}
