"""What the container leaves behind passes the checks that the platform makes without torch."""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from brightrun.catalog.base_models import base_model
from brightrun.catalog.gpu_instances import Billing, GpuConfig
from brightrun.catalog.presets import Hyperparameters
from brightrun.core.errors import UnusableAdapterError
from brightrun.datasets.model import Dataset
from brightrun.training.adapters.inspect_adapter import inspect
from brightrun.training.model import TrainingJob
from brightrun.training.sagemaker.request import hyperparameters
from tests.training.jobs import train_here, write_job

AT = "2026-11-21T12:00:00.000Z"
JOB = TrainingJob(
    owner_id="owner-1",
    job_id="0196b3f0-0000-7000-8000-000000000001",
    dataset_id="dataset-1",
    dataset_name="First",
    name="First adapter",
    base_model="brightrun-tiny",
    preset_id="custom",
    hyperparameters=Hyperparameters(1e-4, 4, 1, 8, 16, 0.0),
    gpu_config=GpuConfig("local-cpu", 1),
    billing=Billing("ml.m5.2xlarge", 1, 0, 0.461, "2026-11-01"),
    estimate={},
    external_job_id="test-job",
    queued_at=AT,
    updated_at=AT,
    total_epochs=1,
    total_steps=1,
)


@pytest.fixture(scope="module")
def trained(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Dataset]:
    """model.tar.gz of a run with the platform's own hyperparameters, and its dataset."""
    folder = tmp_path_factory.mktemp("platform")
    model, unknown = base_model(JOB.base_model), a_dataset("")
    root = write_job(folder / "job", tiny_model, hyperparameters(JOB, unknown, model))
    train_here(root)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as packed:
        packed.add(root / "model", arcname=".")
    return archive.getvalue(), a_dataset(sha256_of_rows(root))


def a_dataset(sha256: str) -> Dataset:
    fields: dict[str, Any] = dict.fromkeys(
        ("description", "storage_bucket", "storage_path", "file_name"), ""
    )
    return Dataset(
        owner_id="owner-1", dataset_id="dataset-1", name="First", format="messages",
        status="ready", source="upload", file_size=1, created_at=AT, updated_at=AT,
        sha256=sha256, **fields,
    )  # fmt: skip


def sha256_of_rows(root: Path) -> str:
    (rows,) = (root / "input" / "data" / "training").iterdir()
    return hashlib.sha256(rows.read_bytes()).hexdigest()


def test_the_platform_takes_what_was_trained(trained: tuple[bytes, Dataset]) -> None:
    archive, dataset = trained
    found = inspect(io.BytesIO(archive), JOB, dataset.sha256)
    assert found.results.status == "completed"
    assert found.results.final_loss is not None
    assert found.compatibility["vllm_max_lora_rank"] == 8
    assert found.compatibility["checks"]["finite"] is True


def test_the_platform_refuses_it_for_another_dataset_or_rank(
    trained: tuple[bytes, Dataset],
) -> None:
    archive, dataset = trained
    other = replace(JOB, hyperparameters=replace(JOB.hyperparameters, rank=16))
    for job, rows in ((JOB, a_dataset("cd" * 32)), (other, dataset)):
        with pytest.raises(UnusableAdapterError):
            inspect(io.BytesIO(archive), job, rows.sha256)
