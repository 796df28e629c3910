"""Composition of the finish_batch function."""

from __future__ import annotations

from functools import cache

from brightrun.aws.objects import S3Objects
from brightrun.batches.finish_batch import BatchFinisher, EnrichmentSweep
from brightrun.wiring import clients
from brightrun.wiring.batch_tables import (
    BatchTableSettings,
    batches,
    claims,
    workflow,
)
from brightrun.wiring.budgets import budgets_without_limits
from brightrun.wiring.enrichment import EnrichmentSettings, conversations, enricher


class FinishBatchSettings(BatchTableSettings, EnrichmentSettings):
    """The environment of the finish_batch function."""

    generate_batch_state_machine_arn: str
    budgets_table: str


@cache
def batch_finisher() -> BatchFinisher:
    """Compose the service that ends a round of a batch."""
    settings = FinishBatchSettings.from_environment()
    return BatchFinisher(
        batches=batches(settings, budgets_without_limits(settings.budgets_table)),
        claims=claims(settings),
        logs=S3Objects(clients.s3(), settings.batch_logs_bucket),
        workflow=workflow(settings.generate_batch_state_machine_arn),
        clock=clients.clock,
        sweep=EnrichmentSweep(conversations(settings), enricher(settings)).sweep,
    )
