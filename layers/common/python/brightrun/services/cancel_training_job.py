"""Cancels training jobs: at once where nothing runs, else by stopping what does."""

from __future__ import annotations

from dataclasses import dataclass

from brightrun.domain.training_costs import cost_record
from brightrun.domain.training_job import TrainingJob
from brightrun.domain.training_notices import job_cancelled
from brightrun.domain.training_records import training_event
from brightrun.domain.training_transitions import cancelled, ended
from brightrun.errors import ConflictError, VersionConflictError
from brightrun.errors.training import JobEndedError
from brightrun.ports import Clock
from brightrun.ports.training import RunStopper, TrainingJobRepository, TrainingRecords

_TRIES = 5


@dataclass(frozen=True, slots=True)
class TrainingCanceller:
    """What POST /api/jobs/{id}/cancel does."""

    jobs: TrainingJobRepository
    records: TrainingRecords
    training: RunStopper
    clock: Clock

    def cancel(self, owner_id: str, job_id: str) -> TrainingJob:
        """Cancel a job and give it as it is then; cancelling it again changes nothing.

        A queued job has no SageMaker job, so its bill is closed with nothing on it. Any other is
        cancelled and its SageMaker job told to stop; the workflow closes the bill when it has.
        Raises NotFoundError, JobEndedError for a job that is completed or failed, ConflictError
        when others keep changing it, StorageError.
        """
        for _ in range(_TRIES):
            job = self.jobs.job(owner_id, job_id)
            if job.ended and job.status != "cancelled":
                raise _too_late(job)
            try:
                self._write(job)
            except VersionConflictError:
                continue
            return self._stopped(self.jobs.job(owner_id, job_id))
        raise ConflictError("The training job is being changed by others; try again.")

    def _write(self, job: TrainingJob) -> None:
        now = self.clock()
        if job.status == "cancelled":
            return
        if job.status == "queued":
            end = ended(
                job,
                now,
                "cancelled",
                final_cost=0.0,
                billed_seconds=0,
                stopped_reason="cancelled",
            )
            told = [job_cancelled(end, now)]
            cost = cost_record(end, now)
            self.jobs.settle(end, job.version, cost=cost, notifications=told, model=None)
        else:
            stopping = cancelled(job, now)
            self.jobs.replace(stopping, job.version, job_cancelled(stopping, now))
        message = "The job was cancelled by its owner."
        self.records.add_event(job, training_event(now, "info", "cancelled", message))

    def _stopped(self, job: TrainingJob) -> TrainingJob:
        """Tell SageMaker each time: the first request may have died before it did."""
        if not job.settled:
            self.training.stop(job.external_job_id)
        return job


def _too_late(job: TrainingJob) -> JobEndedError:
    return JobEndedError(
        f"The training job '{job.name}' is {job.status}; only a job that has not ended can be "
        "cancelled.",
        details=job.state(),
    )
