"""Why a training job failed, in words that help: from what SageMaker and the container say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from brightrun.domain.training_run import TrainingRun

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
