"""The table of datasets, for every function that reads one."""

from __future__ import annotations

from brightrun.datasets.repository import DatasetTables, DynamoDatasets
from brightrun.wiring import clients


def datasets(table: str) -> DynamoDatasets:
    """Open the datasets of a table to read."""
    return DynamoDatasets(clients.dynamodb(), DatasetTables(table))
