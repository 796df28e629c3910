"""Composition of the batch_jobs function."""

from __future__ import annotations

from functools import cache

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


class BatchJobsSettings(BatchTableSettings):
    """The environment of the batch_jobs function."""

    generate_batch_state_machine_arn: str


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
        batches=batches(settings),
        claims=claims(settings),
        workflow=workflow(settings.generate_batch_state_machine_arn),
        clock=clients.clock,
    )


SERVICES: Services = {BatchReader: batch_reader, BatchControls: batch_controls}
