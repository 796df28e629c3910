"""Finishes a training job: its outcome, its adapter or failure, its bill and notifications."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from brightrun.core.errors import UnusableAdapterError, VersionConflictError
from brightrun.core.timestamps import Clock, from_iso, iso
from brightrun.datasets.repository import DatasetRepository
from brightrun.training.adapters.deliver_adapter import AdapterDelivery
from brightrun.training.adapters.model import ModelArtifact, TrainingResults
from brightrun.training.costs.model import cost_of, cost_record
from brightrun.training.model import EventLevel, JobStatus, TrainingJob, training_event
from brightrun.training.notices import artifact_ready, job_completed, job_failed
from brightrun.training.repository import TrainingJobRepository, TrainingRecords
from brightrun.training.sagemaker.gateway import TrainingService
from brightrun.training.sagemaker.model import TrainingRun
from brightrun.training.transitions import changed, ended
from brightrun.training.workflow.model import TrainingStep, TrainingStepResult, next_step

_MOST_CHARACTERS = 1024
"""SageMaker's own bound on FailureReason."""
# SageMaker puts the failure file's text between its class of error and the exit code.
_WRAPPED = re.compile(r"\s*(?P<kind>\w+Error):\s*(?P<text>.*?)(?:,?\s*exit code: -?\d+)?\s*", re.S)
# The container's file says `Class: sentence`.
_ACCOUNT = re.compile(r"(?P<cause>[A-Za-z_.]+):\s*(?P<sentence>.*)", re.S)
_OUT_OF_MEMORY = re.compile(r"out ?of ?memory", re.I)
_NO_CAPACITY = re.compile(r"^\s*CapacityError\b|insufficient capacity", re.I)


@dataclass(frozen=True, slots=True)
class Failure:
    """A stable code for machines, a sentence for people, and what helps."""

    code: str
    message: str
    hint: str


CAUSES: Mapping[str, tuple[str, str]] = {
    "ConfigError": ("bad_settings", "Change the hyperparameters that the message names."),
    "DatasetError": (
        "unusable_dataset",
        "Look at the dataset's receipt: it says which rows give nothing to learn, and why.",
    ),
    "ModelError": (
        "unusable_base_model",
        "Choose another base model, or mirror this one into the bucket of base models again.",
    ),
    "BudgetError": ("budget_too_small", "Raise max_cost_usd, or train for fewer epochs."),
    "DivergedError": (
        "diverged",
        "Lower the learning rate to a half or less, and look for broken rows in the dataset.",
    ),
    "CheckpointError": ("damaged_checkpoint", "Start a new job; this one cannot go on."),
    "ArtifactError": ("unusable_adapter", "Change the setting that the message names."),
    "StoppedBeforeFirstStepError": (
        "stopped_before_training",
        "Nothing was trained; start a new job.",
    ),
    "WorkerKilled": (
        "killed",
        "Most often the host ran out of memory: choose a larger instance or a smaller model.",
    ),
    "OutOfMemoryError": (
        "out_of_memory",
        "Lower max_seq_length or batch_size, or choose a GPU with more memory.",
    ),
}
"""The container's failures (training_container/trainer/errors.py, launch.py), and torch's own."""
_KINDS: Mapping[str, tuple[str, str]] = {
    "ClientError": (
        "refused_by_sagemaker",
        "SageMaker could not use what the job names: the role, the image or the data in S3.",
    ),
    "InternalServerError": ("sagemaker_error", "SageMaker failed; start the job again."),
    "CapacityError": ("no_capacity", "Choose another GPU type, or try again later."),
    "AlgorithmError": ("training_error", "The log of the training job says more."),
}
DELETED = Failure(
    "deleted", "SageMaker's training job was deleted while it was needed.", "Start a new job."
)


def lacked_capacity(run: TrainingRun) -> bool:
    """Whether a job failed because there was no instance, before it trained anything."""
    return run.training_started_at is None and bool(_NO_CAPACITY.search(run.failure_reason or ""))


def failure_of(reason: str | None) -> Failure:
    """Explain a FailureReason; one that is empty or unknown is shown as it is."""
    text = (reason or "").strip()[:_MOST_CHARACTERS]
    if not text:
        return Failure("training_error", "SageMaker gave no reason.", _KINDS["AlgorithmError"][1])
    wrapped = _WRAPPED.fullmatch(text)
    kind, inner = (wrapped["kind"], wrapped["text"]) if wrapped else ("AlgorithmError", text)
    if kind in CAUSES:  # Not wrapped: the container's own words, as the local engine passes them.
        kind, inner = "AlgorithmError", text
    account = _ACCOUNT.fullmatch(inner)
    cause = account["cause"].rpartition(".")[2] if account else ""
    if _OUT_OF_MEMORY.search(inner):
        cause = "OutOfMemoryError"
    code, hint = CAUSES.get(cause, _KINDS.get(kind, _KINDS["AlgorithmError"]))
    sentence = account["sentence"] if account and cause in CAUSES else inner
    return Failure(code, sentence.strip() or text, hint)


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


_AT_ONCE_S = 1


@dataclass(frozen=True, slots=True)
class _End:
    status: JobStatus
    model: ModelArtifact | None = None
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingFinisher:
    """What the function finish_training does; doing it again at any point is safe."""

    jobs: TrainingJobRepository
    records: TrainingRecords
    datasets: DatasetRepository
    training: TrainingService
    delivery: AdapterDelivery
    clock: Clock
    watch_s: int

    def finish(self, turn: TrainingStep) -> TrainingStepResult:
        """Close the job if SageMaker has ended; else it must be watched on.

        Raises NotFoundError, StorageError.
        """
        job = self.jobs.job(turn.owner_id, turn.job_id)
        if job.settled:
            self._tell(job)
            return next_step(turn, "settled")
        run = self.training.describe(job.external_job_id)
        if not job.ended if run is None else run.state == "active":
            return next_step(turn, "watch", self.watch_s)
        try:
            self._settle(job, run)
        except VersionConflictError:
            # Cancelled while its adapter was being checked: the next turn closes it as that.
            return next_step(turn, "watch", _AT_ONCE_S)
        return next_step(turn, "settled")

    def _settle(self, job: TrainingJob, run: TrainingRun | None) -> None:
        billed = _seconds_seen(job) if run is None else run.billed_seconds(self.clock())
        cost = cost_of(job.billing, billed)
        if job.ended or run is None:
            end = _End(job.status)
        else:
            verifying = changed(job, self.clock(), stage="verifying")
            self.jobs.replace(verifying, job.version)
            job = verifying
            end = self._judged(job, run, cost)
        now = self.clock()
        closed = ended(
            job,
            now,
            end.status,
            final_cost=cost,
            billed_seconds=billed,
            **({} if run is None else _times(run)),
            **end.fields,
        )
        self.jobs.close_billing(
            closed,
            job.version,
            cost=cost_record(closed, now),
            notifications=_notifications(closed, end.model, now),
            model=end.model,
        )
        self._tell(closed)

    def _judged(self, job: TrainingJob, run: TrainingRun, cost: float) -> _End:
        failure, stopped = verdict(job, run)
        if failure is not None:
            return _failed(failure)
        dataset = self.datasets.dataset(job.owner_id, job.dataset_id)
        try:
            adapter = self.delivery.checked(job, dataset)
            if contradiction := disagreement(run, adapter.results):
                return _failed(contradiction)
            model = self.delivery.deliver(job, adapter, cost, self.clock())
        except UnusableAdapterError as error:
            if stopped is not None:
                return _failed(without_adapter(stopped, error.message))
            return _failed(Failure(error.code, error.message, "Start the job again."))
        results = adapter.results
        fields = {
            "results": _kept(results, run),
            "stopped_reason": stopped or early_end(results),
            "model_id": model.model_id,
            "current_step": results.steps,
            "current_epoch": results.epochs_completed,
            "total_steps": results.total_steps,
        }
        return _End("completed", model, fields)

    def _tell(self, job: TrainingJob) -> None:
        """Write the last event, which a killed attempt may have written or not: it is the same."""
        if job.completed_at is None:
            return
        at = from_iso(job.completed_at)
        level: EventLevel = "error" if job.status == "failed" else "info"
        message = f"The job is {job.status}; it cost ${job.final_cost or 0:.2f}."
        told = {"final_cost": job.final_cost, "billed_seconds": job.billed_seconds}
        self.records.add_event(job, training_event(at, level, "closed", message, **told))


def _seconds_seen(job: TrainingJob) -> int:
    """What a job has billed whose training job is not to be found: from its start to its end."""
    if job.started_at is None:
        return 0
    return round((from_iso(job.updated_at) - from_iso(job.started_at)).total_seconds())


def _failed(failure: Failure) -> _End:
    return _End(
        "failed",
        fields={
            "error_code": failure.code,
            "error_message": failure.message,
            "error_hint": failure.hint or None,
        },
    )


def _times(run: TrainingRun) -> dict[str, Any]:
    started = run.training_started_at
    return {
        "training_seconds": run.training_seconds,
        **({} if started is None else {"started_at": iso(started)}),
    }


def _kept(results: TrainingResults, run: TrainingRun) -> dict[str, Any]:
    """What was measured, for the job's page and for the estimate to learn from."""
    figures = results.model_dump(exclude={"evaluations", "dataset", "checks"})
    counts = {
        name: value
        for name, value in results.dataset.items()
        if isinstance(value, bool | int | float)
    }
    started = run.training_started_at
    waited = None if started is None else (started - run.created_at).total_seconds()
    return {**figures, "dataset": counts, "seconds_to_instances": waited}


def _notifications(job: TrainingJob, model: ModelArtifact | None, now: datetime) -> list[Any]:
    """What its owner is told; a cancellation was told when it was asked for."""
    if model is not None:
        return [job_completed(job, now), artifact_ready(job, model, now)]
    return [job_failed(job, now)] if job.status == "failed" else []
