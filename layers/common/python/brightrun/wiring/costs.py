"""Composition of the costs function."""

from __future__ import annotations

from brightrun.core.settings import Settings
from brightrun.http.app import Services
from brightrun.training.costs.repository import DynamoCostRecords
from brightrun.training.costs.service import CostSummer
from brightrun.wiring import clients


class CostsSettings(Settings):
    """The environment of the costs function."""

    cost_records_table: str


def cost_summer() -> CostSummer:
    """Compose the service that adds up costs."""
    settings = CostsSettings.from_environment()
    return CostSummer(
        costs=DynamoCostRecords(clients.dynamodb(), settings.cost_records_table),
        clock=clients.clock,
    )


SERVICES: Services = {CostSummer: cost_summer}
