"""Composition of the batch_jobs function."""

from __future__ import annotations

from functools import cache

from brightrun.aws.request_keys import DynamoRequestKeys
from brightrun.batches.control_batch import BatchControls
from brightrun.batches.read_batches import BatchReader
from brightrun.http.app import Services
from brightrun.wiring import clients
from brightrun.wiring.batch_tables import (
    BatchTableSettings,
    batches,
    claims,
    workflow,
)
from brightrun.wiring.budgets import BudgetSettings, budgets


class BatchJobsSettings(BatchTableSettings, BudgetSettings):
    """The environment of the batch_jobs function."""

    generate_batch_state_machine_arn: str
    idempotency_table: str


@cache
def batch_reader() -> BatchReader:
    """Compose the service that reads batch jobs."""
    settings = BatchJobsSettings.from_environment()
    return BatchReader(batches(settings), clients.clock)


@cache
def batch_controls() -> BatchControls:
    """Compose the service that pauses, resumes, cancels and retries batch jobs."""
    settings = BatchJobsSettings.from_environment()
    return BatchControls(
        batches=batches(settings, budgets(settings)),
        claims=claims(settings),
        workflow=workflow(settings.generate_batch_state_machine_arn),
        keys=DynamoRequestKeys(clients.dynamodb(), settings.idempotency_table),
        clock=clients.clock,
        limits=settings.limits,
    )


SERVICES: Services = {BatchReader: batch_reader, BatchControls: batch_controls}
