"""README tables, pinned packages, Dockerfile and build context match the code."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.training.jobs import ROOT, environment, failure, read_results, write_job
from training_container.trainer.config import RunConfig
from training_container.trainer.metrics import START, UNMEASURED

CONTAINER = ROOT / "training_container"
CUDA = (12, 13)


def read(name: str) -> str:
    return (CONTAINER / name).read_text("utf-8")


def pins(text: str) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9_.-]+)==([\w.]+)", text, flags=re.MULTILINE)
    return {name.lower(): version for name, version in found}


def test_readme_documents_every_setting_and_no_other() -> None:
    table = read("README.md").split("## Hyperparameters")[1].split("\n## ")[0]
    documented = re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)
    assert documented == list(RunConfig.__struct_fields__)


def test_readme_shows_the_defaults() -> None:
    table = read("README.md").split("## Hyperparameters")[1].split("\n## ")[0]
    shown = dict(re.findall(r"^\| `(\w+)` \| `?([^|`]*?)`? \|", table, flags=re.MULTILINE))
    defaults = RunConfig()
    for name in ("rank", "alpha", "epochs", "batch_size", "learning_rate", "max_seq_length"):
        assert float(shown[name]) == getattr(defaults, name)


TORCH = {12: "2.10.0", 13: pins(read("requirements.in"))["torch"]}
"""The torch of each CUDA that the image can be built for."""


@pytest.mark.parametrize("cuda", CUDA)
def test_lock_holds_the_pinned_versions_each_with_a_hash(cuda: int) -> None:
    lock = read(f"requirements-cuda{cuda}.lock")
    locked = pins(lock)
    wanted = pins(read("requirements.in")) | pins(read("requirements-gpu.in"))
    assert (wanted | {"torch": TORCH[cuda]}).items() <= locked.items()
    assert lock.count("--hash=sha256:") == len(locked)


@pytest.mark.parametrize("cuda", CUDA)
def test_lock_has_the_libraries_of_one_cuda(cuda: int) -> None:
    locked = pins(read(f"requirements-cuda{cuda}.lock"))
    nccl = {name for name in locked if name.startswith("nvidia-nccl")}
    assert nccl == {f"nvidia-nccl-cu{cuda}"}


def test_locks_differ_in_torch_and_its_libraries_alone() -> None:
    twelve, thirteen = (pins(read(f"requirements-cuda{cuda}.lock")) for cuda in CUDA)
    other = ("torch", "triton", "nvidia-", "cuda-")
    both = {name for name in twelve | thirteen if not name.startswith(other)}
    assert {name: twelve.get(name) for name in both} == {name: thirteen.get(name) for name in both}


def test_dockerfile_starts_the_launcher_without_a_shell() -> None:
    (entry,) = [line for line in read("Dockerfile").splitlines() if line.startswith("ENTRYPOINT")]
    assert re.fullmatch(r'ENTRYPOINT \["python", ".*/training_container/launch\.py"\]', entry)


def test_image_runs_as_the_root_that_owns_what_sagemaker_mounts() -> None:
    assert "\nUSER " not in read("Dockerfile")


def test_image_asks_the_container_runtime_for_every_gpu_and_its_tools() -> None:
    text = read("Dockerfile")
    assert "NVIDIA_VISIBLE_DEVICES=all" in text
    assert "NVIDIA_DRIVER_CAPABILITIES=compute,utility" in text


def test_dockerfile_pins_its_base_and_its_packages() -> None:
    text = read("Dockerfile")
    assert re.search(r"^FROM [\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$", text, flags=re.MULTILINE)
    assert "--require-hashes" in text


def test_readme_documents_every_field_of_a_metrics_record() -> None:
    table = read("README.md").split("## Metrics")[1].split("\n## ")[0]
    documented = re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)
    assert documented == ["kind", "time", *START, *UNMEASURED]


def copied() -> list[tuple[str, str]]:
    """What the Dockerfile copies, and where to, with the defaults of its arguments."""
    text = read("Dockerfile")
    for name, value in re.findall(r"^ARG (\w+)=(\S+)$", text, flags=re.MULTILINE):
        text = text.replace(f"${{{name}}}", value)
    return re.findall(r"^COPY (\S+) (\S+)$", text, flags=re.MULTILINE)


def let_in() -> list[str]:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in lines
    return [line.removeprefix("!") for line in lines if line.startswith("!")]


def test_build_context_has_what_the_dockerfile_copies_and_little_more() -> None:
    for source, _ in copied():
        assert (ROOT / source).exists()
        assert any(fnmatch(source, f"{place}*") for place in let_in()), source
    files = [f for place in let_in() for f in (ROOT / place).rglob("*") if f.suffix == ".py"]
    assert sum(file.stat().st_size for file in files) < 500_000


@pytest.mark.slow
def test_the_images_files_alone_train_an_adapter(tiny_model: Path, tmp_path: Path) -> None:
    image = tmp_path / "image"
    for source, target in copied():
        place = image / Path(target).relative_to("/opt/brightrun")
        place.parent.mkdir(parents=True, exist_ok=True)
        take = shutil.copytree if (ROOT / source).is_dir() else shutil.copyfile
        take(ROOT / source, place)
    root = write_job(tmp_path / "job", tiny_model, {"epochs": "1"})
    command = [sys.executable, str(image / "training_container" / "launch.py"), "train"]
    # The working directory is not the repository, and only the image's PYTHONPATH is set.
    ended = subprocess.run(
        command,
        env={**environment(root), "PYTHONPATH": str(image)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, failure(root)
    assert read_results(root)["status"] == "completed"


@pytest.mark.slow
def test_launcher_finds_the_shared_code_from_any_working_directory(
    tiny_model: Path, tmp_path: Path
) -> None:
    root = write_job(tmp_path / "job", tiny_model, {"dataset_sha256": "0" * 64})
    launcher = os.path.relpath(CONTAINER / "launch.py", tmp_path)
    ended = subprocess.run(
        [sys.executable, launcher, "train"], env=environment(root), cwd=tmp_path, check=False
    )
    assert ended.returncode == 2
    assert failure(root).startswith("DatasetError: train.jsonl is not the dataset")
