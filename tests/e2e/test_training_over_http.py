"""From a file of rows to an adapter that loads, over real HTTP; killed in the middle, too."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.dataset_receipt import request_receipt
from cli.dataset_upload import wait_until_validated
from cli.errors import RefusedError
from cli.model_download import download_model
from cli.training_options import local_model
from cli.training_watching import TrainingProgress, follow_training
from cli.upload import send_file
from tests.e2e.conftest import Installation
from tests.e2e.datasets import ready_dataset, write_rows

pytestmark = pytest.mark.slow

LONG_ENOUGH = {
    "learning_rate": 1e-3,
    "batch_size": 4,
    "epochs": 12,
    "rank": 4,
    "alpha": 8,
    "dropout": 0.0,
}
BUILT_WITHIN_S = 120.0


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Rows of `messages`, every conversation with words of its own."""
    return write_rows(tmp_path / "rows.jsonl")


def job_request(system: Installation, dataset_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "dataset_id": dataset_id,
        "base_model": local_model(system.client),
        "preset_id": "custom",
        "hyperparameters": {**LONG_ENOUGH, **changes},
        "gpu_config": {"type": "local-cpu", "count": 1},
    }


def receipt_of(system: Installation, request: dict[str, Any]) -> dict[str, Any]:
    estimate = system.client.post("/api/jobs/estimate", request)["data"]
    return request_receipt(
        system.client, request["dataset_id"], estimate, patience_s=BUILT_WITHIN_S
    )


def start(system: Installation, request: dict[str, Any]) -> str:
    return str(system.client.post("/api/jobs", request)["data"]["id"])


def followed(system: Installation, job_id: str) -> TrainingProgress:
    return follow_training(system.client, job_id, lambda _: None, interval_s=0.5)


def wait_for_step(system: Installation, job_id: str, step: int) -> None:
    """Poll until a step was seen; the job's own end is the time limit."""
    while True:
        job = system.client.get(f"/api/jobs/{job_id}")["data"]["job"]
        if job["current_step"] >= step:
            return
        assert job["status"] in {"queued", "initializing", "running"}, job
        time.sleep(0.2)


def test_rows_become_an_adapter_and_the_receipt_is_what_was_trained(
    install: Callable[[], Installation], rows: Path, tmp_path: Path
) -> None:
    system = install()
    system.start(trains=True)
    dataset = ready_dataset(system, rows.rename(tmp_path / "v"))
    request = job_request(system, dataset["id"], epochs=2, target_modules=["q_proj", "v_proj"])
    receipt = receipt_of(system, request)
    ended = followed(system, start(system, request))
    job = ended.job
    assert (job["status"], job["error_message"]) == ("completed", None)
    assert (job["dataset_check"]["method"], job["dataset_check"]["at"]) == ("exact", "creation")
    assert ended.losses[-1][1] < ended.losses[0][1]
    assert ended.validation_losses
    saved = download_model(system.client, job["model_id"], tmp_path / "adapter")
    assert {Path(file["path"]).name for file in saved} >= {
        "adapter_model.safetensors",
        "adapter_config.json",
        "tokenizer.json",
        "manifest.json",
        "README.md",
    }
    settings = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert sorted(settings["target_modules"]) == ["q_proj", "v_proj"]
    results = json.loads((tmp_path / "adapter" / "results.json").read_text())
    counted = results["dataset"]
    assert receipt["train_pairs"] == counted["train_pairs"]
    assert receipt["validation_pairs"] == counted["validation_pairs"]
    assert receipt["tokens_per_epoch"] == counted["tokens_per_epoch"]
    assert receipt["steps"] == results["total_steps"] == job["total_steps"]
    records = system.client.get("/api/costs", {})["data"]["records"]
    assert [record["job_id"] for record in records] == [job["id"]]
    notifications = system.client.get("/api/notifications", {})["data"]["notifications"]
    assert {one["type"] for one in notifications} >= {
        "dataset_ready",
        "job_completed",
        "artifact_ready",
    }


def test_what_could_not_be_trained_is_refused_before_a_job_is_made(
    install: Callable[[], Installation], rows: Path
) -> None:
    system = install()
    system.start(trains=True)
    dataset = ready_dataset(system, rows)
    request = job_request(system, dataset["id"])
    receipt_of(system, request)
    long = long_rows(system, rows)["id"]
    place = {"Bucket": dataset["storage_bucket"], "Key": dataset["storage_path"]}
    system.aws("s3").put_object(**place, Body=rows.read_bytes() + b"\n")
    asked = {
        "invalid_input": job_request(system, long, target_modules=["lm_head"]),
        "untrainable": job_request(system, long, max_seq_length=256),
        "object_changed": request,
    }
    for code, body in asked.items():
        with pytest.raises(RefusedError) as refusal:
            start(system, body)
        assert refusal.value.code == code
    assert system.client.get("/api/jobs", {})["data"]["count"] == 0


def long_rows(system: Installation, rows: Path) -> dict[str, Any]:
    """A dataset whose answers fit into no sequence of 256 tokens."""
    turns = [{"role": role, "content": "money " * 500} for role in ("user", "assistant")]
    long = rows.with_name("long.jsonl")
    long.write_text(json.dumps({"messages": turns}))
    return ready_dataset(system, long)


def test_a_training_goes_on_after_the_engine_was_killed(
    install: Callable[[], Installation], rows: Path
) -> None:
    system = install()
    system.start(trains=True)
    request = job_request(system, ready_dataset(system, rows)["id"])
    receipt_of(system, request)
    job_id = start(system, request)
    wait_for_step(system, job_id, 11)
    system.kill()
    system.start(trains=True)
    ended = followed(system, job_id)
    assert ended.job["status"] == "completed", ended.job
    steps = [step for step, _ in ended.losses]
    assert steps[-1] == ended.job["total_steps"]
    costs = system.client.get("/api/costs", {})["data"]["records"]
    assert len(costs) == 1


def test_a_cancelled_training_stops_and_its_bill_is_closed(
    install: Callable[[], Installation], rows: Path
) -> None:
    system = install()
    system.start(trains=True)
    dataset = ready_dataset(system, rows)
    request = job_request(system, dataset["id"], epochs=20)
    receipt_of(system, request)
    job_id = start(system, request)
    wait_for_step(system, job_id, 1)
    cancelled = system.client.post(f"/api/jobs/{job_id}/cancel")["data"]
    assert cancelled["status"] == "cancelled"
    ended = followed(system, job_id).job
    assert (ended["status"], ended["settled"]) == ("cancelled", True)
    assert ended["billed_seconds"] > 0
    assert ended["final_cost"] == 0  # this machine is nobody's instance
    assert (
        system.aws("sagemaker").list_training_jobs(StatusEquals="InProgress")[
            "TrainingJobSummaries"
        ]
        == []
    )
    system.client.delete(f"/api/datasets/{dataset['id']}")


def test_a_file_that_does_not_fit_is_named_line_by_line(
    install: Callable[[], Installation], tmp_path: Path
) -> None:
    system = install()
    system.start()
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"messages": [{"role": "user", "content": "Hello?"}]}\nnot json\n')
    body = {"name": "bad", "file_name": bad.name, "file_size": bad.stat().st_size}
    created = system.client.post("/api/datasets", body)["data"]
    dataset_id = created["dataset"]["id"]
    send_file(system.client, dataset_id, created["upload"], bad, lambda _: None)
    system.client.post(f"/api/datasets/{dataset_id}/confirm")
    dataset = wait_until_validated(system.client, dataset_id)
    assert dataset["status"] == "error"
    assert {error["line"] for error in dataset["validation_errors"]} == {1, 2}
    report = system.client.get(f"/api/datasets/{dataset_id}/report")["data"]
    assert report["download_url"].startswith("http://127.0.0.1")
