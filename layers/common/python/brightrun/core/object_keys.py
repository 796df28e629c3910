"""Where every object lies; the original's layout, so that its tools find ours."""

from __future__ import annotations

from datetime import datetime

from brightrun.core.timestamps import iso


def raw_response(owner_id: str, conversation_id: str) -> str:
    """Claude's text exactly as returned."""
    return f"raw/{owner_id}/{conversation_id}.json"


def parsed_conversation(owner_id: str, conversation_id: str) -> str:
    """The checked conversation."""
    return f"{owner_id}/{conversation_id}/conversation.json"


def edited_conversation(owner_id: str, conversation_id: str, version: int, attempt: str) -> str:
    """The conversation as an edit left it; the attempt keeps two apart that meet on one version."""
    return f"{owner_id}/{conversation_id}/conversation.v{version}.{attempt}.json"


def enriched_conversation(owner_id: str, conversation_id: str) -> str:
    """The training pairs of a conversation."""
    return f"{owner_id}/{conversation_id}/enriched.json"


def judgement_answer(owner_id: str, conversation_id: str) -> str:
    """A judge's text exactly as returned; a later judgement's answer takes its place."""
    return f"{owner_id}/{conversation_id}/judgement.json"


def batch_plan(job_id: str) -> str:
    """The scaffolding of a job as it was when the job was made."""
    return f"{job_id}/plan.json"


def batch_log(job_id: str) -> str:
    """The log people read."""
    return f"{job_id}/log.txt"


def failure_report(failure_id: str, now: datetime) -> str:
    """A failed generation's report; colons and dots of the time become dashes."""
    moment = iso(now).replace(":", "-").replace(".", "-")
    return f"{now:%Y}/{now:%m}/failed-{failure_id}-{moment}.json"


def training_file(file_id: str, version: int, attempt: str, extension: str) -> str:
    """One version's object; the attempt keeps two that write the same version apart."""
    return f"{file_id}/v{version}/{attempt}/training.{extension}"


def dataset_prefix(owner_id: str, dataset_id: str) -> str:
    """What the keys of all of a dataset's objects begin with."""
    return f"{owner_id}/{dataset_id}/"


def dataset_file(owner_id: str, dataset_id: str, file_name: str) -> str:
    """The file that was uploaded; its name is one that `domain.upload.safe_file_name` made."""
    return f"{dataset_prefix(owner_id, dataset_id)}{file_name}"


def dataset_validation(owner_id: str, dataset_id: str, run: int) -> str:
    """What the keys of everything that one validation writes begin with."""
    return f"{dataset_prefix(owner_id, dataset_id)}validation/{run}/"


def dataset_report(owner_id: str, dataset_id: str, run: int) -> str:
    """Every problem that a validation found, up to the validator's cap."""
    return f"{dataset_validation(owner_id, dataset_id, run)}report.json"


def dataset_split(owner_id: str, dataset_id: str, run: int) -> str:
    """Which lines train, and which are kept for the validation of a training."""
    return f"{dataset_validation(owner_id, dataset_id, run)}split.json"
