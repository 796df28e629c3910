"""Corrects disagreements between SageMaker, the training jobs and their executions."""

from __future__ import annotations

from dataclasses import dataclass

from brightrun.core.errors import NotFoundError
from brightrun.core.logging import logger
from brightrun.core.metrics import measure
from brightrun.core.timestamps import Clock
from brightrun.training.gateway import TrainingWorkflow
from brightrun.training.model import TrainingJob, training_event
from brightrun.training.repository import TrainingJobRepository, TrainingRecords
from brightrun.training.sagemaker.gateway import TrainingService
from brightrun.training.workflow.model import NAME_PREFIX


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """How many SageMaker jobs were stopped, and how many executions were started."""

    stopped: int
    revived: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReconciler:
    """The training_events function's service: one training job after an event, all regularly."""

    jobs: TrainingJobRepository
    records: TrainingRecords
    training: TrainingService
    workflow: TrainingWorkflow
    clock: Clock

    def sweep(self) -> Reconciliation:
        """Stop SageMaker jobs that no job needs, and restart open jobs without an execution.

        Raises StorageError.
        """
        names = list(self.training.active(NAME_PREFIX))
        stopped = sum(self._stop_if_orphaned(name) for name in names)
        revived = sum(self._revive(job) for job in self.jobs.open_jobs())
        return _measured(Reconciliation(stopped, revived))

    def changed(self, name: str) -> Reconciliation:
        """Reconcile the SageMaker job whose status has changed.

        Raises StorageError.
        """
        job = self._job_of(name)
        stopped = self._stop_if_orphaned(name)
        revived = job is not None and not job.settled and self._revive(job)
        return _measured(Reconciliation(int(stopped), int(revived)))

    def _stop_if_orphaned(self, name: str) -> bool:
        """Stop a SageMaker job whose training job has ended or is at another attempt.

        One without a training job here belongs to another deployment in the same account.
        """
        run = self.training.describe(name)
        job = self._job_of(name)
        if run is None or job is None or run.status != "InProgress":
            return False
        if not job.ended and job.external_job_id == name:
            return False
        self.training.stop(name)
        message = f"SageMaker was still running {name}; it was stopped."
        event = training_event(self.clock(), "warning", "orphan_stopped", message)
        self.records.add_event(job, event)
        logger().warning("An orphaned SageMaker job was stopped", training_job=name)
        return True

    def _job_of(self, name: str) -> TrainingJob | None:
        """The training job that a SageMaker job's environment names."""
        run = self.training.describe(name)
        environment = {} if run is None else run.environment
        owner_id, job_id = (
            environment.get("BRIGHTRUN_OWNER_ID"),
            environment.get("BRIGHTRUN_JOB_ID"),
        )
        if not owner_id or not job_id:
            return None
        try:
            return self.jobs.job(owner_id, job_id)
        except NotFoundError:
            logger().warning("A SageMaker job has no training job here", training_job=name)
            return None

    def _revive(self, job: TrainingJob) -> bool:
        run = self.workflow.restart(job)
        if run is None:
            return False
        logger().warning("A training job's workflow was restarted", job_id=job.job_id, run=run)
        return True


def _measured(done: Reconciliation) -> Reconciliation:
    if done.stopped:
        measure("OrphansStopped", done.stopped)
    if done.revived:
        measure("WorkflowsRestarted", done.revived)
    return done
