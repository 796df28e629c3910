"""Whatever fails, and however early: the cause is in the failure file, and no GPU idles for it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from brightrun.sft.errors import DatasetError
from tests.training.jobs import failure, finish, start, write_hosts, write_job
from training_container import launch
from training_container.launch import FAILURE_LIMIT, failure_text

MINUTE_S = 60.0


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A job whose base model is missing: nothing here gets as far as loading it."""
    return write_job(tmp_path / "job", tmp_path / "no-model")


def nvidia_smi(folder: Path, script: str) -> dict[str, str]:
    """The PATH of a host whose driver answers with this script."""
    folder.mkdir()
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


@pytest.mark.parametrize("instance_type", ["ml.g5.2xlarge", "ml.g6e.2xlarge", "ml.p5.48xlarge"])
def test_gpu_instance_without_a_gpu_fails_within_a_minute_and_reads_nothing(
    job: Path, instance_type: str
) -> None:
    write_hosts(job, ["algo-1"], "algo-1", instance_type)
    began = time.monotonic()
    code, output = finish(start(job))
    assert code == 1, output
    assert time.monotonic() - began < MINUTE_S
    assert failure(job).startswith(f"GpuUnavailableError: {instance_type} has GPUs, but the")
    assert "kind=stage" not in output


def test_gpu_that_torch_cannot_use_fails_with_torchs_reason(job: Path, tmp_path: Path) -> None:
    write_hosts(job, ["algo-1"], "algo-1", "ml.g5.2xlarge")
    driver = nvidia_smi(tmp_path / "bin", "echo 'NVIDIA A10G, 470.57.02'")
    code, output = finish(start(job, 1, **driver))
    assert code == 1, output
    assert "gpu: NVIDIA A10G, 470.57.02" in output
    assert failure(job).startswith("GpuUnavailableError: torch 2.")
    assert "--build-arg CUDA=12" in failure(job)
    assert "kind=stage" not in output


@pytest.mark.parametrize(
    ("instance_type", "variables"),
    [("ml.m5.2xlarge", {}), ("ml.p5.4xlarge", {"TRAINER_ALLOW_CPU": "1"})],
)
def test_cpu_is_used_where_the_instance_has_no_gpu_or_none_is_asked_for(
    job: Path, instance_type: str, variables: dict[str, str]
) -> None:
    write_hosts(job, ["algo-1"], "algo-1", instance_type)
    code, output = finish(start(job, 1, **variables))
    assert "kind=stage stage=loading" in output
    assert code == 2, output  # the base model, which is missing


def test_driver_that_hangs_counts_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", nvidia_smi(tmp_path / "bin", "exec sleep 60")["PATH"])
    monkeypatch.setattr(launch, "DRIVER_ANSWERS_S", 0.2)
    assert launch.gpus_of_driver() == []


@pytest.mark.parametrize("text", ["{", '{"hosts": ["algo-2"], "current_host": "algo-1"}', "[]"])
def test_unusable_resource_configuration_is_the_reported_cause(job: Path, text: str) -> None:
    (job / "input" / "config" / "resourceconfig.json").write_text(text, "utf-8")
    code, output = finish(start(job))
    assert code == 1, output
    assert failure(job).startswith("HostConfigError: resourceconfig.json")


def test_folder_that_cannot_be_made_is_the_reported_cause(job: Path) -> None:
    (job / "model").write_text("in the way", "utf-8")
    code, output = finish(start(job))
    assert code == 1, output
    assert failure(job).startswith("FileExistsError: ")


def test_package_that_the_image_lacks_is_the_reported_cause(job: Path, tmp_path: Path) -> None:
    (tmp_path / "msgspec.py").write_text("raise ImportError('libcudart.so.13 is missing')", "utf-8")
    code, output = finish(start(job, PYTHONPATH=str(tmp_path)))
    assert code == 1, output
    assert failure(job) == "ImportError: libcudart.so.13 is missing"


def test_cause_is_printed_where_no_failure_file_can_be_written(job: Path) -> None:
    (job / "output").write_text("in the way", "utf-8")
    code, output = finish(start(job))
    assert code == 1, output
    assert "FileExistsError: " in output
    assert "The failure file cannot be written" in output


def test_failure_text_names_the_cause_and_keeps_to_the_limit() -> None:
    text = failure_text(DatasetError("x" * 5000))
    assert text.startswith("DatasetError: xxx")
    assert len(text) == FAILURE_LIMIT
