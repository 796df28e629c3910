"""How a training job has ended, from what SageMaker says and what was asked of it."""

from __future__ import annotations

from typing import NamedTuple

from brightrun.domain.training_failures import DELETED, Failure, failure_of
from brightrun.domain.training_job import TrainingJob
from brightrun.domain.training_results import TrainingResults
from brightrun.domain.training_run import TrainingRun

STOPPED_BY_SECONDARY_STATUS = {
    "MaxRuntimeExceeded": "max_runtime",
    "MaxWaitTimeExceeded": "max_wait",
}
"""Why SageMaker itself ended a job; its other stops were asked for."""

_BECAUSE = {
    "budget": "to keep to max_cost_usd",
    "max_runtime": "at the longest time it may run",
    "max_wait": "at the longest time it may wait for spot capacity",
    "outside": "from outside, not by Bright Run",
}


class Verdict(NamedTuple):
    """Either why it failed, or why it ended before its last step although it has an adapter.

    Both None: it was trained to its end.
    """

    failure: Failure | None
    stopped_reason: str | None


def verdict(job: TrainingJob, run: TrainingRun) -> Verdict:
    """Judge a job that SageMaker has ended and its owner has not; an adapter may still be bad.

    A stop that saves what was learned is no failure: whoever limits the cost still gets an adapter.
    """
    if run.status == "Completed":
        return Verdict(None, None)
    if run.status == "Stopped":
        why = stopped_by(job, run)
        return Verdict(None if run.trained else _never_trained(why), why)
    if run.status == "Deleting":
        return Verdict(DELETED, None)
    return Verdict(failure_of(run.failure_reason), None)


def disagreement(run: TrainingRun, results: TrainingResults) -> Failure | None:
    """What the trainer says against SageMaker's "Completed"; None when they agree."""
    if run.status == "Completed" and results.status != "completed":
        return Failure(
            "not_completed",
            f"SageMaker says Completed, the trainer says {results.status}: "
            f"{results.stopped_because} after {results.steps} of {results.total_steps} steps.",
            "Start a new job.",
        )
    return None


def early_end(results: TrainingResults) -> str | None:
    """Why the trainer itself ended before its last step; None when it did not."""
    return None if results.stopped_because == "finished" else results.stopped_because


def without_adapter(why: str, reason: str) -> Failure:
    """A job that was stopped and left nothing that can be delivered."""
    because = _BECAUSE.get(why, why)
    return Failure(
        "stopped_without_adapter",
        f"The job was stopped {because}, and left no adapter that can be delivered: {reason}",
        "Raise the limit that stopped it, or train for fewer epochs.",
    )


def stopped_by(job: TrainingJob, run: TrainingRun) -> str:
    """Who or what stopped a job: its budget, a limit of SageMaker's, or somebody else."""
    if job.stopped_reason is not None:
        return job.stopped_reason
    return STOPPED_BY_SECONDARY_STATUS.get(run.secondary_status, "outside")


def _never_trained(why: str) -> Failure:
    because = _BECAUSE.get(why, why)
    if why == "outside":
        message = (
            "SageMaker stopped the job before it had instances: it found none within 24 hours, or "
            "somebody stopped it."
        )
        return Failure("no_capacity", message, "Choose another GPU type, or try again later.")
    return Failure("no_capacity", f"The job was stopped {because}, without instances.", "")
