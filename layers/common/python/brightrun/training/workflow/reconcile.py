"""Finds what fell between SageMaker, the jobs' rows and the workflow, and puts it right."""

from __future__ import annotations

from dataclasses import dataclass

from brightrun.core.errors import NotFoundError
from brightrun.core.logging import logger
from brightrun.core.timestamps import Clock
from brightrun.training.gateway import TrainingWorkflow
from brightrun.training.model import TrainingJob, training_event
from brightrun.training.repository import TrainingJobRepository, TrainingRecords
from brightrun.training.sagemaker.gateway import TrainingService
from brightrun.training.workflow.model import NAME_PREFIX


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What one sweep did: SageMaker jobs stopped, executions started."""

    stopped: int
    revived: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReconciler:
    """What the function training_events does: one training job at an event, all of them in time."""

    jobs: TrainingJobRepository
    records: TrainingRecords
    training: TrainingService
    workflow: TrainingWorkflow
    clock: Clock

    def sweep(self) -> Reconciliation:
        """Stop what runs for nobody, and go on with every open job that nobody goes on with.

        Raises StorageError.
        """
        names = list(self.training.active(NAME_PREFIX))
        stopped = sum(self._stop_if_orphaned(name) for name in names)
        revived = sum(self._revive(job) for job in self.jobs.open_jobs())
        return Reconciliation(stopped, revived)

    def changed(self, name: str) -> Reconciliation:
        """Look at the one training job of SageMaker whose status has changed.

        Raises StorageError.
        """
        job = self._job_of(name)
        stopped = self._stop_if_orphaned(name)
        revived = job is not None and not job.settled and self._revive(job)
        return Reconciliation(int(stopped), int(revived))

    def _stop_if_orphaned(self, name: str) -> bool:
        """Stop a training job whose own row has ended or has gone on to another attempt.

        One without a row here is left alone: it is another deployment's in the same account.
        """
        run = self.training.describe(name)
        job = self._job_of(name)
        if run is None or job is None or run.status != "InProgress":
            return False
        if not job.ended and job.external_job_id == name:
            return False
        self.training.stop(name)
        message = f"SageMaker still worked on {name}; it was stopped."
        event = training_event(self.clock(), "warning", "orphan_stopped", message)
        self.records.add_event(job, event)
        logger().warning("A training job that nobody waits for was stopped", training_job=name)
        return True

    def _job_of(self, name: str) -> TrainingJob | None:
        """The row that a training job's own environment leads back to."""
        run = self.training.describe(name)
        told = {} if run is None else run.environment
        owner_id, job_id = told.get("BRIGHTRUN_OWNER_ID"), told.get("BRIGHTRUN_JOB_ID")
        if not owner_id or not job_id:
            return None
        try:
            return self.jobs.job(owner_id, job_id)
        except NotFoundError:
            logger().warning("A training job has no row here", training_job=name)
            return None

    def _revive(self, job: TrainingJob) -> bool:
        run = self.workflow.restart(job)
        if run is None:
            return False
        logger().warning("A training job's workflow was started again", job_id=job.job_id, run=run)
        return True
