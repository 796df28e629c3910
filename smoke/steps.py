"""The steps: three conversations, a training file, a dataset, a small training job, an adapter.

They use only the HTTP API, and the same requests on every system.
"""

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.batch_watching import watch_batch
from cli.client import ApiClient, Document, segment
from cli.dataset_upload import wait_until_validated
from cli.model_download import download_model
from cli.text import duration
from cli.training_watching import watch_training
from local.demo_training_file import approve, create_file, enriched_conversations

if TYPE_CHECKING:
    from rich.console import Console

SELECTION = {
    "personas": ["anxious_planner"],
    "emotional_arcs": ["confusion_to_clarity"],
    "training_topics": ["roth_ira_conversion", "student_loan_payoff", "estate_planning_basics"],
}
CONVERSATIONS = 3
HYPERPARAMETERS = {
    "learning_rate": 1e-3,
    "batch_size": 4,
    "epochs": 1,
    "rank": 8,
    "alpha": 16,
    "dropout": 0.0,
}


class SmokeFailed(Exception):
    """A step did not lead to what it should; the message says which and why."""


@dataclass(frozen=True)
class Training:
    """What the job trains and where, and the most it may cost in US dollars (None: no limit)."""

    base_model: str | None
    gpu: str
    max_cost_usd: float | None = None

    def order(self, dataset_id: str) -> Document:
        """The body of the request for the job; the simulator's conversations are allowed."""
        order: Document = {
            "name": "Smoke test",
            "dataset_id": dataset_id,
            "base_model": self.base_model,
            "preset_id": "custom",
            "hyperparameters": HYPERPARAMETERS,
            "gpu_config": {"type": self.gpu, "count": 1},
            "allow_simulated": True,
        }
        return order if self.max_cost_usd is None else {**order, "max_cost_usd": self.max_cost_usd}


@dataclass
class Report:
    """What each step took, and what it made."""

    console: "Console"
    seconds: dict[str, float] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step and print its end."""
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 1)
        self.console.print(f"ok  {name} ({duration(self.seconds[name])})")


def walk(client: ApiClient, training: Training, folder: Path, report: Report) -> None:
    """Go the whole path; raises SmokeFailed, and CliError where the API refuses."""
    with report.step("three conversations written"):
        job_id = _conversations(client, report.console)
    with report.step("training file made of them"):
        file = _training_file(client, job_id)
    with report.step("dataset validated"):
        dataset = _dataset(client, file["id"])
    with report.step("adapter trained"):
        job = _train(client, training.order(dataset["id"]), report.console)
    with report.step("adapter downloaded, every hash verified"):
        files = download_model(client, job["model_id"], folder)
    report.made |= {
        "batch_job_id": job_id,
        "training_file_id": file["id"],
        "dataset_id": dataset["id"],
        "training_job_id": job["id"],
        "model_id": job["model_id"],
        "files": len(files),
        "training_cost_usd": job["final_cost"],
    }


def _conversations(client: ApiClient, console: "Console") -> str:
    body = {"name": "Smoke test", "selection": SELECTION, "concurrentProcessing": 1}
    path = "/api/conversations/generate-batch"
    job_id: str = client.post(path, body, idempotency_key=str(uuid.uuid4()))["jobId"]
    status = watch_batch(client, job_id, console)
    if status.successful != CONVERSATIONS:
        failures = client.get(f"/api/conversations/batch/{segment(job_id)}/items")["items"]
        reasons = {one.get("error_message") for one in failures if one.get("error_message")}
        raise SmokeFailed(
            f"{status.successful} of {CONVERSATIONS} conversations were written: "
            f"{'; '.join(map(str, reasons)) or status.status}"
        )
    return job_id


def _training_file(client: ApiClient, job_id: str) -> Mapping[str, Any]:
    chosen = enriched_conversations(client, job_id)
    for one in chosen:
        approve(client, one)
    return create_file(client, job_id, chosen)


def _dataset(client: ApiClient, training_file_id: str) -> Document:
    path = "/api/datasets/import-from-training-file"
    created = client.post(path, {"training_file_id": training_file_id})["data"]
    dataset: Document = wait_until_validated(client, created["id"])
    if dataset["status"] != "ready":
        raise SmokeFailed(f"The dataset is not ready: {dataset['error_message']}")
    return dataset


def _train(client: ApiClient, order: Document, console: "Console") -> Document:
    job = client.post("/api/jobs", order, idempotency_key=str(uuid.uuid4()))["data"]
    ended = watch_training(client, job["id"], console)
    if not ended.is_success:
        raise SmokeFailed(
            f"The training ended {ended.job['status']}: {ended.job['error_message']} "
            f"{ended.job['error_hint'] or ''}"
        )
    return ended.job
