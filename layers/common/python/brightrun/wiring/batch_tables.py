"""The tables and the workflow of batches, for every function that works on them."""

from __future__ import annotations

from brightrun.batches.claim_repository import DynamoClaims
from brightrun.batches.gateway import StepFunctionsWorkflow
from brightrun.batches.repository import BatchTables, DynamoBatches
from brightrun.core.settings import Settings
from brightrun.wiring import clients


class BatchTableSettings(Settings):
    """The tables of jobs, items and log lines."""

    batch_jobs_table: str
    batch_items_table: str
    batch_logs_table: str

    @property
    def tables(self) -> BatchTables:
        """The tables by what they hold."""
        return BatchTables(
            jobs=self.batch_jobs_table, items=self.batch_items_table, logs=self.batch_logs_table
        )


def batches(settings: BatchTableSettings) -> DynamoBatches:
    """Open the jobs."""
    return DynamoBatches(clients.dynamodb(), settings.tables)


def claims(settings: BatchTableSettings, **outcome_tables: str) -> DynamoClaims:
    """Open the claims; a worker names the tables that outcomes of items are written to."""
    return DynamoClaims(clients.dynamodb(), settings.tables, **outcome_tables)


def workflow(state_machine_arn: str) -> StepFunctionsWorkflow:
    """Open the batch state machine."""
    return StepFunctionsWorkflow(clients.step_functions(), state_machine_arn)
