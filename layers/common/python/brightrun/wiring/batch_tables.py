"""The tables and the state machine of batches, for the functions that use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brightrun.batches.gateway import StepFunctionsWorkflow
from brightrun.batches.repository import BatchTables, DynamoBatches
from brightrun.core.settings import Settings
from brightrun.wiring import clients

if TYPE_CHECKING:
    from brightrun.batches.claim_repository import DynamoClaims


class BatchTableSettings(Settings):
    """The tables of jobs, items and log lines."""

    batch_jobs_table: str
    batch_items_table: str
    batch_logs_table: str

    @property
    def tables(self) -> BatchTables:
        """The names for the repositories."""
        return BatchTables(
            jobs=self.batch_jobs_table, items=self.batch_items_table, logs=self.batch_logs_table
        )


def batches(settings: BatchTableSettings) -> DynamoBatches:
    """Create the repository of batch jobs."""
    return DynamoBatches(clients.dynamodb(), settings.tables)


def claims(settings: BatchTableSettings, **outcome_tables: str) -> DynamoClaims:
    """Create the repository of claims; a worker also names the tables for an outcome's records."""
    from brightrun.batches.claim_repository import DynamoClaims

    return DynamoClaims(clients.dynamodb(), settings.tables, **outcome_tables)


def workflow(state_machine_arn: str) -> StepFunctionsWorkflow:
    """Create the gateway of the batch state machine."""
    return StepFunctionsWorkflow(clients.step_functions(), state_machine_arn)
