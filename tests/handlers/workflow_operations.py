"""Everything that the functions of the training workflow can be brought to do."""

from __future__ import annotations

import json
from typing import Any

import boto3

from brightrun.aws.dynamodb import from_wire
from brightrun.catalog.base_models import base_model
from brightrun.training.adapters.repository import PART_BYTES
from brightrun.training.model import TrainingJob, read_training_job
from brightrun.training.sagemaker.request import artifact_key, metrics_key
from brightrun.training.workflow.model import MAX_TURNS
from tests.builders import OWNER
from tests.fakes import adapter
from tests.fakes import sagemaker_account as sagemaker
from tests.fakes.tokenizer import put_tokenizer
from tests.handlers.system_under_test import SystemUnderTest

LATE = "qwen2.5-14b-instruct"
"""The model whose tokenizer is uploaded after the job was created."""
NO_QUOTA = ("ResourceLimitExceeded", sagemaker.LIMIT)


def run_the_training_workflow(system: SystemUnderTest) -> None:
    """Wait for quota, train, deliver, cancel at two points, hand over, and sweep."""
    ready = system.http("GET /api/datasets", query={"status": "ready"})["data"]["datasets"][0]
    trained = take_on(system, ready["id"], base_model=LATE)
    put_tokenizer(boto3.client("s3"), base_model(LATE))
    system.sagemaker.refusals = [NO_QUOTA]
    assert step(system, "start_training", trained) == "start"
    assert step(system, "start_training", trained) == "watch"
    watch_and_deliver(system, trained, ready["sha256"])
    cancel_while_sagemaker_is_asked(system, take_on(system, ready["id"]))
    cancelled = take_on(system, ready["id"])
    step(system, "start_training", cancelled)
    for function in ("start_training", "watch_training"):
        assert step(system, function, cancelled, turn=MAX_TURNS) == "hand_over"
    row = row_of(cancelled)
    system.http("POST /api/jobs/{id}/cancel", id=cancelled)
    system.sagemaker.jobs[row.external_job_id].script = [sagemaker.TRAINING]
    assert step(system, "watch_training", cancelled) == "watch"
    find_what_was_lost(system, trained)


def take_on(system: SystemUnderTest, dataset_id: str, **changes: str) -> str:
    request = {"dataset_id": dataset_id, "gpu_config": {"type": "H100", "count": 1}, **changes}
    return str(system.http("POST /api/jobs", request, status=201)["data"]["id"])


def step(system: SystemUnderTest, function: str, job_id: str, *, turn: int = 0) -> str:
    return str(system.work(function, {"ownerId": OWNER, "jobId": job_id, "turn": turn})["status"])


def row_of(job_id: str) -> TrainingJob:
    key = {"owner_id": {"S": OWNER}, "job_id": {"S": job_id}}
    stored = boto3.client("dynamodb").get_item(TableName="TrainingJobsTable", Key=key)
    return read_training_job(from_wire(stored["Item"]))


def watch_and_deliver(system: SystemUnderTest, job_id: str, sha256: str) -> None:
    """Deliver an adapter that takes more than one part; once it changes on the way."""
    job = row_of(job_id)
    system.sagemaker.jobs[job.external_job_id].script = [sagemaker.TRAINING]
    put(metrics_key(job_id), adapter.metrics_lines(range(1, 12)))
    assert step(system, "watch_training", job_id) == "watch"
    system.sagemaker.jobs[job.external_job_id].script = [sagemaker.COMPLETED]
    weights = adapter.a_safetensors(job.hyperparameters.rank, modules=LAYERS)
    assert len(weights) > PART_BYTES
    files = adapter.files_of(job, weights=weights)
    manifest = adapter.manifest(job, files, dataset=[{"name": "rows.jsonl", "sha256": sha256}])
    whole = adapter.packed({**files, "manifest.json": json.dumps(manifest).encode()})
    put(artifact_key(job), whole)
    events, name = system.files.meta.events, "after-call.s3.GetObject"

    def cut_off(**_: Any) -> None:
        events.unregister(name, cut_off)
        with system.calls.made_by(None):
            put(artifact_key(job), whole[: len(whole) // 2])

    events.register(name, cut_off)
    system.sagemaker.after = lambda _: None
    first = step(system, "finish_training", job_id)
    assert (first, row_of(job_id).error_code) == ("settled", "unusable_adapter")
    deliver_another(system, whole_job=job)


LAYERS = [f"mlp.{number}.up_proj" for number in range(2 * PART_BYTES // (2 * 2 * 16 * 64))]


def deliver_another(system: SystemUnderTest, whole_job: TrainingJob) -> None:
    job_id = take_on(system, whole_job.dataset_id)
    step(system, "start_training", job_id)
    job = row_of(job_id)
    system.sagemaker.jobs[job.external_job_id].script = [sagemaker.TRAINING]
    step(system, "watch_training", job_id)
    system.sagemaker.jobs[job.external_job_id].script = [sagemaker.COMPLETED]
    files = adapter.files_of(job)
    sha256 = system.http("GET /api/datasets/{id}", id=job.dataset_id)["data"]["sha256"]
    manifest = adapter.manifest(job, files, dataset=[{"name": "rows.jsonl", "sha256": sha256}])
    put(
        artifact_key(job),
        adapter.packed({**files, "manifest.json": json.dumps(manifest).encode()}),
    )
    assert step(system, "finish_training", job_id) == "settled"
    assert row_of(job_id).status == "completed"


def cancel_while_sagemaker_is_asked(system: SystemUnderTest, job_id: str) -> None:
    def cancel(operation: str) -> None:
        if operation == "CreateTrainingJob":
            system.sagemaker.before = lambda _: None
            system.http("POST /api/jobs/{id}/cancel", id=job_id)

    system.sagemaker.before = cancel
    assert step(system, "start_training", job_id) == "watch"


def find_what_was_lost(system: SystemUnderTest, ended: str) -> None:
    """One training job still runs though its row has ended; some rows have no execution."""
    name = row_of(ended).external_job_id
    system.sagemaker.jobs[name].script = [sagemaker.TRAINING]
    changed = {"detail": {"TrainingJobName": name}}
    assert system.work("training_events", changed)["stopped"] == 1
    assert system.work("training_events", {})["revived"] >= 1


def put(key: str, body: bytes) -> None:
    boto3.client("s3").put_object(Bucket="models", Key=key, Body=body)
