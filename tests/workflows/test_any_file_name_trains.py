"""From the upload to the trainer's rows: a dataset's file is the one that is read, whatever it is
called."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from brightrun.catalog.base_models import base_model
from brightrun.datasets.model import safe_file_name
from brightrun.sft.tokenizer import OfflineTokenizer
from local.sagemaker.ml_folder import download_channels, write_configuration
from tests.builders import OWNER
from tests.fakes.datasets import ROWS
from tests.fakes.tokenizer import put_tokenizer
from tests.handlers.system_under_test import SystemUnderTest, system_under_test
from training_container.trainer.contract import JobPaths, load_config
from training_container.trainer.dataset import load_dataset

NAMES = (
    "A.JSONL",
    "data",
    "v",
    "va",
    "validation",
    "_validation",
    "x.json",
    "rows 1.jsonl",
    "a.b..c.jsonl",
    "Räume für März",
    "訓練データ.JsonL",
    ".jsonl",
    "...",
    "-rf (2)",
    "what?%2F&+.txt",
)
DATASETS = "/api/datasets"
TINY = "brightrun-tiny"


@pytest.fixture(scope="module")
def system() -> Iterator[SystemUnderTest]:
    with system_under_test() as system:
        put_tokenizer(boto3.client("s3"), base_model(TINY))
        yield system


def uploaded(system: SystemUnderTest, name: str) -> str:
    """A dataset of a file of this name, found ready; its id."""
    sent = {"name": "Any", "file_name": name, "file_size": len(ROWS)}
    made = system.http(f"POST {DATASETS}", sent, status=201)["data"]
    boto3.client("s3").put_object(Bucket="datasets", Key=made["storagePath"], Body=ROWS)
    dataset_id = str(made["dataset"]["id"])
    system.http(f"POST {DATASETS}/{{id}}/confirm", status=202, id=dataset_id)
    assert system.validate(dataset_id) == "ready"
    return dataset_id


@pytest.mark.parametrize("name", NAMES)
def test_the_trainer_reads_exactly_the_file_that_was_uploaded(
    system: SystemUnderTest, tmp_path: Path, name: str
) -> None:
    request = {
        "dataset_id": uploaded(system, name),
        "base_model": TINY,
        "gpu_config": {"type": "local-cpu", "count": 1},
    }
    job = system.http("POST /api/jobs", request, status=201)["data"]
    assert job["dataset_check"]["method"] == "exact"
    event = {"ownerId": OWNER, "jobId": job["id"]}
    assert system.work("start_training", event)["status"] == "watch"
    asked = system.sagemaker.jobs[job["external_job_id"]].request

    write_configuration(tmp_path, asked)
    download_channels(boto3.client("s3"), tmp_path, asked)
    channel = [file for file in (tmp_path / "input/data/training").rglob("*") if file.is_file()]
    assert [file.name for file in channel] == [safe_file_name(name)]

    paths = JobPaths(tmp_path, {})
    tokenizer = OfflineTokenizer(paths.channel("model"))
    chat = tokenizer.chat_format({}, "2026-11-28")
    dataset = load_dataset(paths, load_config(paths), chat)
    (read,) = dataset.report.files
    assert (read["name"], read["rows"]) == (safe_file_name(name), 4)
    assert read["sha256"] == hashlib.sha256(ROWS).hexdigest()
    assert dataset.train
