"""The scripts of examples/, run as a reader would run them, against one local system."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.dataset_receipt import request_receipt
from cli.training_options import local_model
from tests.e2e.conftest import ROOT, Installation

pytestmark = pytest.mark.slow
BUILT_WITHIN_S = 120.0


@pytest.fixture(scope="module")
def training_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    installation = Installation(tmp_path_factory.mktemp("examples") / "data")
    installation.start(trains=True)
    yield installation
    installation.stop()


def run_example(
    system: Installation, name: str, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a script signed in by profile, unless the environment names address and token."""
    return subprocess.run(
        [sys.executable, "-m", f"examples.{name}", *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "BRIGHTRUN_CONFIG_DIR": str(system.folder / "profiles"),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def training_file(training_system: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first script leaves, which the second takes."""
    path = tmp_path_factory.mktemp("files") / "training.jsonl"
    ended = run_example(training_system, "create_batch_and_download", str(path))
    assert ended.returncode == 0, ended.stderr
    assert "with 4 conversations" in ended.stdout
    return path


@pytest.fixture(scope="module")
def dataset_id(training_system: Installation, training_file: Path) -> str:
    """What the second script leaves, which the third takes; signed in by address and token."""
    client = training_system.client
    ended = run_example(
        training_system,
        "upload_and_validate_dataset",
        str(training_file),
        BRIGHTRUN_CONFIG_DIR=str(training_file.parent / "nobody"),
        BRIGHTRUN_API_URL=client.api_url,
        BRIGHTRUN_TOKEN=training_system.token(),
    )
    assert ended.returncode == 0, ended.stderr
    assert "trainable pairs" in ended.stdout
    (found,) = re.findall(r"^Dataset (\S+): ready$", ended.stdout, re.MULTILINE)
    return str(found)


def wait_for_the_tiny_model(system: Installation, dataset_id: str) -> None:
    """The system builds its base model in its first seconds; a receipt needs its tokenizer."""
    request = {
        "dataset_id": dataset_id,
        "base_model": local_model(system.client),
        "gpu_config": {"type": "local-cpu", "count": 1},
    }
    estimate = system.client.post("/api/jobs/estimate", request)["data"]
    request_receipt(system.client, dataset_id, estimate, patience_s=BUILT_WITHIN_S)


def test_the_batch_example_downloads_lines_of_training_pairs(training_file: Path) -> None:
    lines = [json.loads(line) for line in training_file.read_text().splitlines()]
    assert len(lines) > 4


def test_the_dataset_example_leaves_a_dataset_that_is_ready(
    training_system: Installation, dataset_id: str
) -> None:
    dataset = training_system.client.get(f"/api/datasets/{dataset_id}")["data"]
    assert dataset["status"] == "ready"


def test_the_dataset_example_prints_each_problem_with_its_line(
    training_system: Installation, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"messages": [{"role": "user", "content": "Hello?"}]}\nnot json\n')
    ended = run_example(training_system, "upload_and_validate_dataset", str(bad))
    assert ended.returncode == 1, ended.stderr
    assert {"line 1", "line 2"} <= {line.split(":")[0] for line in ended.stdout.splitlines()}


def test_the_training_example_downloads_an_adapter(
    training_system: Installation, dataset_id: str, tmp_path: Path
) -> None:
    wait_for_the_tiny_model(training_system, dataset_id)
    folder = tmp_path / "adapter"
    ended = run_example(
        training_system, "estimate_and_train", dataset_id, str(folder), "--allow-simulated"
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Estimate: " in ended.stdout
    assert (folder / "adapter_model.safetensors").stat().st_size > 0


def test_an_example_ends_with_the_words_of_an_error_answer(
    training_system: Installation, tmp_path: Path
) -> None:
    ended = run_example(training_system, "estimate_and_train", "unknown", str(tmp_path))
    assert ended.returncode == 1
    assert "POST /api/jobs/estimate: " in ended.stderr
    assert "Traceback" not in ended.stderr
