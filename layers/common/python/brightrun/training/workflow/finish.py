"""Finishes a training job: its outcome, its adapter or failure, its bill and notifications."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from brightrun.core.errors import UnusableAdapterError, VersionConflictError
from brightrun.core.metrics import measure
from brightrun.core.timestamps import Clock, from_iso, iso
from brightrun.datasets.repository import DatasetRepository
from brightrun.training.adapters.deliver_adapter import AdapterDelivery
from brightrun.training.adapters.model import ModelArtifact
from brightrun.training.adapters.results import TrainingResults
from brightrun.training.costs.model import cost_of, cost_record
from brightrun.training.model import EventLevel, JobStatus, TrainingJob, training_event
from brightrun.training.notices import job_ended
from brightrun.training.repository import TrainingJobRepository, TrainingRecords
from brightrun.training.sagemaker.gateway import TrainingService
from brightrun.training.sagemaker.model import TrainingRun
from brightrun.training.transitions import changed, ended
from brightrun.training.workflow.model import TrainingStep, TrainingStepResult, next_step

_MOST_CHARACTERS = 1024
"""SageMaker's own bound on FailureReason."""
# SageMaker puts the failure file's text between its error class and the exit code.
_WRAPPED = re.compile(r"\s*(?P<kind>\w+Error):\s*(?P<text>.*?)(?:,?\s*exit code: -?\d+)?\s*", re.S)
# The container's failure file holds `Class: sentence`.
_FAILURE = re.compile(r"(?P<cause>[A-Za-z_.]+):\s*(?P<sentence>.*)", re.S)
_OUT_OF_MEMORY = re.compile(r"out ?of ?memory", re.I)
_NO_CAPACITY = re.compile(r"^\s*CapacityError\b|insufficient capacity", re.I)


@dataclass(frozen=True, slots=True)
class Failure:
    """A stable code, a message for the owner, and a hint how to avoid it."""

    code: str
    message: str
    hint: str


CAUSES: Mapping[str, tuple[str, str]] = {
    "ConfigError": ("bad_settings", "Change the hyperparameters that the message names."),
    "DatasetError": (
        "unusable_dataset",
        "Read the dataset's receipt: it lists the rows that cannot be trained on, and why.",
    ),
    "ModelError": (
        "unusable_base_model",
        "Choose another base model, or mirror this one into the bucket of base models again.",
    ),
    "BudgetError": ("budget_too_small", "Raise max_cost_usd, or train for fewer epochs."),
    "DivergedError": (
        "diverged",
        "Lower the learning rate to a half or less, and check the dataset for broken rows.",
    ),
    "CheckpointError": ("damaged_checkpoint", "Start a new job; this one cannot continue."),
    "ArtifactError": ("unusable_adapter", "Change the setting that the message names."),
    "StoppedBeforeFirstStepError": (
        "stopped_before_training",
        "Nothing was trained; start a new job.",
    ),
    "GpuUnavailableError": (
        "gpu_unavailable",
        "The operator of the deployment must build the training image for the driver of the hosts "
        "(-c training_cuda=12), or correct the image that training_image names.",
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
    "AlgorithmError": ("training_error", "The log of the training job has the details."),
}
DELETED = Failure(
    "deleted", "SageMaker's training job was deleted while it was needed.", "Start a new job."
)


def lacked_capacity(run: TrainingRun) -> bool:
    """Whether a job failed for lack of instances, before it trained anything."""
    return run.training_started_at is None and bool(_NO_CAPACITY.search(run.failure_reason or ""))


def failure_of(reason: str | None) -> Failure:
    """The failure of a FailureReason; an unknown one becomes the message unchanged."""
    text = (reason or "").strip()[:_MOST_CHARACTERS]
    if not text:
        return Failure("training_error", "SageMaker gave no reason.", _KINDS["AlgorithmError"][1])
    wrapped = _WRAPPED.fullmatch(text)
    kind, inner = (wrapped["kind"], wrapped["text"]) if wrapped else ("AlgorithmError", text)
    if kind in CAUSES:  # Not wrapped: the container's text, as the local engine passes it on.
        kind, inner = "AlgorithmError", text
    parsed = _FAILURE.fullmatch(inner)
    cause = parsed["cause"].rpartition(".")[2] if parsed else ""
    if _OUT_OF_MEMORY.search(inner):
        cause = "OutOfMemoryError"
    code, hint = CAUSES.get(cause, _KINDS.get(kind, _KINDS["AlgorithmError"]))
    sentence = parsed["sentence"] if parsed and cause in CAUSES else inner
    return Failure(code, sentence.strip() or text, hint)


STOPPED_BY_SECONDARY_STATUS = {
    "MaxRuntimeExceeded": "max_runtime",
    "MaxWaitTimeExceeded": "max_wait",
}
"""Why SageMaker itself stopped a job; other stops were requested."""
_BECAUSE = {
    "budget": "to keep to max_cost_usd",
    "max_runtime": "at the longest time it may run",
    "max_wait": "at the longest time it may wait for spot capacity",
    "outside": "from outside, not by Bright Run",
}


class Verdict(NamedTuple):
    """The failure of a job, or the reason for its stop if it may still have an adapter.

    Both are None for a job that was trained to its end.
    """

    failure: Failure | None
    stopped_reason: str | None


def verdict(job: TrainingJob, run: TrainingRun) -> Verdict:
    """The outcome of a job that SageMaker has ended and its owner has not cancelled.

    A stopped job that had instances is no failure: a cost limit still delivers an adapter, unless
    the adapter turns out to be unusable.
    """
    if run.status == "Completed":
        return Verdict(None, None)
    if run.status == "Stopped":
        reason = stopped_by(job, run)
        return Verdict(None if run.trained else _never_trained(reason), reason)
    if run.status == "Deleting":
        return Verdict(DELETED, None)
    return Verdict(failure_of(run.failure_reason), None)


def disagreement(run: TrainingRun, results: TrainingResults) -> Failure | None:
    """The failure of a job that SageMaker, but not the trainer, reports as completed."""
    if run.status == "Completed" and results.status != "completed":
        return Failure(
            "not_completed",
            f"SageMaker reports Completed, the trainer reports {results.status}: "
            f"{results.stopped_because} after {results.steps} of {results.total_steps} steps.",
            "Start a new job.",
        )
    return None


def early_end(results: TrainingResults) -> str | None:
    """Why the trainer itself stopped before its last step; None if it did not."""
    return None if results.stopped_because == "finished" else results.stopped_because


def without_adapter(stopped_reason: str, message: str) -> Failure:
    """The failure of a job that was stopped without a usable adapter."""
    because = _BECAUSE.get(stopped_reason, stopped_reason)
    return Failure(
        "stopped_without_adapter",
        f"The job was stopped {because}, and has no adapter that can be delivered: {message}",
        "Raise the limit that stopped it, or train for fewer epochs.",
    )


def stopped_by(job: TrainingJob, run: TrainingRun) -> str:
    """Why a job was stopped: its budget, a limit of SageMaker, or from outside."""
    if job.stopped_reason is not None:
        return job.stopped_reason
    return STOPPED_BY_SECONDARY_STATUS.get(run.secondary_status, "outside")


def _never_trained(stopped_reason: str) -> Failure:
    because = _BECAUSE.get(stopped_reason, stopped_reason)
    if stopped_reason == "outside":
        message = (
            "SageMaker stopped the job before it had instances: it found none within 24 hours, or "
            "the job was stopped in SageMaker."
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
    """The finish_training function's service; it can be repeated at any point."""

    jobs: TrainingJobRepository
    records: TrainingRecords
    datasets: DatasetRepository
    training: TrainingService
    delivery: AdapterDelivery
    clock: Clock
    watch_s: int

    def finish(self, step: TrainingStep) -> TrainingStepResult:
        """Close the job if SageMaker has ended it; else the result is to watch it on.

        Raises NotFoundError, StorageError.
        """
        job = self.jobs.job(step.owner_id, step.job_id)
        if job.settled:
            self._add_last_event(job)
            return next_step(step, "settled")
        run = self.training.describe(job.external_job_id)
        if not job.ended if run is None else run.state == "active":
            return next_step(step, "watch", self.watch_s)
        try:
            self._close(job, run)
        except VersionConflictError:
            # Cancelled while its adapter was being checked: the next turn closes it as cancelled.
            return next_step(step, "watch", _AT_ONCE_S)
        return next_step(step, "settled")

    def _close(self, job: TrainingJob, run: TrainingRun | None) -> None:
        billed = _seconds_observed(job) if run is None else run.billed_seconds(self.clock())
        cost = cost_of(job.billing, billed)
        if job.ended or run is None:
            end = _End(job.status)
        else:
            verifying = changed(job, self.clock(), stage="verifying")
            self.jobs.replace(verifying, job.version)
            job = verifying
            end = self._outcome(job, run, cost)
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
            notifications=job_ended(closed, end.model, now),
            model=end.model,
        )
        _measure(closed)
        self._add_last_event(closed)

    def _outcome(self, job: TrainingJob, run: TrainingRun, cost: float) -> _End:
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
            "results": _figures(results, run, model),
            "stopped_reason": stopped or early_end(results),
            "model_id": model.model_id,
            "current_step": results.steps,
            "current_epoch": results.epochs_completed,
            "total_steps": results.total_steps,
        }
        return _End("completed", model, fields)

    def _add_last_event(self, job: TrainingJob) -> None:
        """Store the last event; a repeated attempt stores the same one."""
        if job.completed_at is None:
            return
        at = from_iso(job.completed_at)
        level: EventLevel = "error" if job.status == "failed" else "info"
        message = f"The job is {job.status}; it cost ${job.final_cost or 0:.2f}."
        if verdict_on_adapter := job.results.get("verdict"):
            message = f"{verdict_on_adapter['headline']} {message}"
        bill = {"final_cost": job.final_cost, "billed_seconds": job.billed_seconds}
        self.records.add_event(job, training_event(at, level, "closed", message, **bill))


def _measure(job: TrainingJob) -> None:
    """Count a job that has ended, by its outcome; a cancelled one by its cost alone."""
    if job.status != "cancelled":
        measure("TrainingJobsFailed" if job.status == "failed" else "TrainingJobsCompleted")
    measure("TrainingCost", job.final_cost or 0.0)
    measure("TrainingSeconds", job.billed_seconds or 0)


def _seconds_observed(job: TrainingJob) -> int:
    """Seconds that a job without a SageMaker job has probably billed: from start to last update."""
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


def _figures(results: TrainingResults, run: TrainingRun, model: ModelArtifact) -> dict[str, Any]:
    """The verdict and what was measured, for the job's details and the calibration of estimates."""
    figures = results.model_dump(exclude={"evaluations", "held_out", "dataset", "checks"})
    counts = {
        name: value
        for name, value in results.dataset.items()
        if isinstance(value, bool | int | float)
    }
    started = run.training_started_at
    waited = None if started is None else (started - run.created_at).total_seconds()
    return {
        "verdict": model.verdict,
        "held_out": model.held_out,
        **figures,
        "dataset": counts,
        "seconds_to_instances": waited,
    }
