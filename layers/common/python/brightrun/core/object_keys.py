"""The key of every object in S3.

What is stored before the row that points to it stands below a name of its attempt, so that no two
writers share an object: what the row points to belongs together, and a loser removes its own.
"""

from __future__ import annotations

from datetime import datetime

from brightrun.core.timestamps import iso


def conversation_prefixes(owner_id: str, conversation_id: str) -> tuple[str, str]:
    """What all objects of a conversation stand below, whichever attempt wrote them."""
    return f"{owner_id}/{conversation_id}/", f"raw/{owner_id}/{conversation_id}/"


def raw_response(owner_id: str, conversation_id: str, attempt: str) -> str:
    """Claude's text exactly as returned, or the source of an imported conversation."""
    return f"raw/{owner_id}/{conversation_id}/{attempt}.json"


def parsed_conversation(owner_id: str, conversation_id: str, attempt: str) -> str:
    """The checked conversation, or what an edit made of it."""
    return f"{owner_id}/{conversation_id}/{attempt}/conversation.json"


def enriched_conversation(owner_id: str, conversation_id: str, attempt: str) -> str:
    """The training pairs of a conversation."""
    return f"{owner_id}/{conversation_id}/{attempt}/enriched.json"


SNAPSHOTS = "snapshots/"
"""What the snapshots of lists stand below, beside the owners' prefixes."""


def conversation_snapshot(owner_id: str) -> str:
    """What lists show of an owner's conversations, as it was at some time (ADR 68)."""
    return f"{SNAPSHOTS}{owner_id}/conversations.json"


def judgement_answer(owner_id: str, conversation_id: str, attempt: str) -> str:
    """A judge's text exactly as returned."""
    return f"{owner_id}/{conversation_id}/{attempt}/judgement.json"


def batch_plan(job_id: str) -> str:
    """The scaffolding of a job as it was when the job was created."""
    return f"{job_id}/plan.json"


def batch_log(job_id: str) -> str:
    """A job's log, rendered as text."""
    return f"{job_id}/log.txt"


def failure_report(failure_id: str, now: datetime) -> str:
    """A failed generation's report; colons and dots of the time become dashes."""
    timestamp = iso(now).replace(":", "-").replace(".", "-")
    return f"{now:%Y}/{now:%m}/failed-{failure_id}-{timestamp}.json"


def training_file_attempt(owner_id: str, file_id: str, version: int, attempt: str) -> str:
    """What all objects of an attempt at a version stand below; no two writers share one.

    Older versions of this system left the owner out.
    """
    return f"{owner_id}/{file_id}/v{version}/{attempt}/"


def training_file(owner_id: str, file_id: str, version: int, attempt: str, extension: str) -> str:
    """One version's object."""
    return f"{training_file_attempt(owner_id, file_id, version, attempt)}training.{extension}"


def training_file_build(owner_id: str, file_id: str, version: int, attempt: str) -> str:
    """What a version's build keeps until it has ended."""
    return f"{training_file_attempt(owner_id, file_id, version, attempt)}build/"


def dataset_prefix(owner_id: str, dataset_id: str) -> str:
    """The key prefix of a dataset's objects."""
    return f"{owner_id}/{dataset_id}/"


def dataset_file(owner_id: str, dataset_id: str, file_name: str) -> str:
    """The uploaded file; `file_name` is one that `safe_file_name` returned."""
    return f"{dataset_prefix(owner_id, dataset_id)}{file_name}"


def dataset_validation(owner_id: str, dataset_id: str, run: int) -> str:
    """The key prefix of the objects that one validation run writes.

    SageMaker reads a channel by prefix. No safe file name begins with an underscore, so that no
    dataset's file, a file `v` for instance, is a prefix of these keys.
    """
    return f"{dataset_prefix(owner_id, dataset_id)}_validation/{run}/"


def dataset_report(owner_id: str, dataset_id: str, run: int) -> str:
    """The problems that a validation run found, up to the validator's limit."""
    return f"{dataset_validation(owner_id, dataset_id, run)}report.json"


def dataset_split(owner_id: str, dataset_id: str, run: int) -> str:
    """Which lines are trained on, and which are held out for validation."""
    return f"{dataset_validation(owner_id, dataset_id, run)}split.json"
