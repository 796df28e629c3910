"""Everything that owners can ask of training jobs, models and costs."""

from __future__ import annotations

import boto3

from brightrun.aws.dynamodb import row_of, to_wire
from brightrun.catalog.base_models import base_model
from brightrun.core.timestamps import iso
from brightrun.training.model import TrainingJob
from tests.builders import START
from tests.fakes.tokenizer import put_tokenizer
from tests.fakes.training_jobs import a_model, a_training_job
from tests.handlers.system_under_test import SystemUnderTest

JOBS = "/api/jobs"


def train(system: SystemUnderTest) -> None:
    """Make a job twice under one key; cancel it; cancel another that runs; look at everything."""
    ready = system.http("GET /api/datasets", query={"status": "ready"})["data"]["datasets"][0]
    model = put_tokenizer(boto3.client("s3"), base_model("qwen2.5-1.5b-instruct"))
    request = {
        "dataset_id": ready["id"],
        "base_model": model.key,
        "gpu_config": {"type": "H100", "count": 1},
    }
    repeatable = {"idempotency-key": "train-once"}
    job = system.http(f"POST {JOBS}", request, status=201, headers=repeatable)["data"]
    again = system.http(f"POST {JOBS}", request, status=201, headers=repeatable)["data"]
    assert again["id"] == job["id"]
    assert job["dataset_check"]["method"] == "exact"
    system.http(f"POST {JOBS}", {**request, "max_cost_usd": 5000}, status=409)
    one = {"id": job["id"]}
    system.http(f"GET {JOBS}/{{id}}/metrics", **one)
    system.http(f"GET {JOBS}/{{id}}/events", **one)
    assert system.http(f"POST {JOBS}/{{id}}/cancel", **one)["data"]["settled"]
    assert len(system.http(f"GET {JOBS}/{{id}}", **one)["data"]["cost_records"]) == 1
    running = a_running_job(ready["id"])
    system.http(f"POST {JOBS}/{{id}}/cancel", id=running.job_id)
    assert system.http(f"GET {JOBS}")["data"]["count"] == 2
    assert system.http("GET /api/costs/budget")["data"]["owner"]["limit_usd"] == 1000
    costs = system.http("GET /api/costs")["data"]["records"]
    assert {"training_compute", "writing"} <= {one["cost_type"] for one in costs}
    read_models(system, running)


def a_running_job(dataset_id: str) -> TrainingJob:
    """A job as the workflow leaves it while SageMaker trains."""
    job = a_training_job(dataset_id=dataset_id, status="running", started_at=iso(START))
    _store("TrainingJobsTable", job)
    return job


def read_models(system: SystemUnderTest, job: TrainingJob) -> None:
    model = a_model(job)
    _store("ModelsTable", model)
    assert system.http("GET /api/models")["data"]["count"] == 1
    system.http("GET /api/models/{id}", id=model.model_id)
    system.http("POST /api/models/{id}/download", {"files": ["README.md"]}, id=model.model_id)


def _store(table: str, record: object) -> None:
    boto3.client("dynamodb").put_item(TableName=table, Item=to_wire(row_of(record)))
