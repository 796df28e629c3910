"""Composition of the scaffolding function."""

from __future__ import annotations

from functools import cache

from brightrun.core.settings import Settings
from brightrun.http.app import Services
from brightrun.scaffolding.repository import DynamoScaffolding
from brightrun.scaffolding.service import ScaffoldingEditor
from brightrun.wiring import clients


class ScaffoldingSettings(Settings):
    """The environment of the scaffolding function."""

    scaffolding_table: str


@cache
def scaffolding_editor() -> ScaffoldingEditor:
    """Compose the service that reads and edits scaffolding."""
    table = ScaffoldingSettings.from_environment().scaffolding_table
    return ScaffoldingEditor(DynamoScaffolding(clients.dynamodb(), table), clients.clock)


SERVICES: Services = {ScaffoldingEditor: scaffolding_editor}
