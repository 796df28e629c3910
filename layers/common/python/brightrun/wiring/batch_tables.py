"""The tables and the state machine of batches, for the functions that use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brightrun.aws.budgets import DynamoBudgets
from brightrun.batches.gateway import StepFunctionsWorkflow
from brightrun.batches.repository import BatchTables, DynamoBatches
from brightrun.batches.spending_repository import DynamoSpending
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


def batches(settings: BatchTableSettings, budgets: DynamoBudgets | None = None) -> DynamoBatches:
    """Create the repository of batch jobs; a function that reopens or ends jobs has budgets."""
    return DynamoBatches(clients.dynamodb(), settings.tables, budgets)


def new_batches(jobs_table: str, items_table: str, budgets: DynamoBudgets) -> DynamoBatches:
    """Create the repository for a function that creates batch jobs, and reads no logs."""
    tables = BatchTables(jobs=jobs_table, items=items_table)
    return DynamoBatches(clients.dynamodb(), tables, budgets)


def spending(jobs_table: str) -> DynamoSpending:
    """Create the repository of what batch jobs have spent."""
    return DynamoSpending(clients.dynamodb(), jobs_table)


def claims(settings: BatchTableSettings, **outcome_tables: str) -> DynamoClaims:
    """Create the repository of claims; a worker also names the tables for an outcome's records."""
    from brightrun.batches.claim_repository import DynamoClaims

    return DynamoClaims(clients.dynamodb(), settings.tables, **outcome_tables)


def workflow(state_machine_arn: str) -> StepFunctionsWorkflow:
    """Create the gateway of the batch state machine."""
    return StepFunctionsWorkflow(clients.step_functions(), state_machine_arn)
