"""The container's documents keep up with its code: README tables, pins, the image's file."""

from __future__ import annotations

import re

from tests.training.jobs import ROOT
from training_container.trainer.config import RunConfig

CONTAINER = ROOT / "training_container"


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
    table = read("README.md").split("## Hyperparameters")[1]
    shown = dict(re.findall(r"^\| `(\w+)` \| `?([^|`]*?)`? \|", table, flags=re.MULTILINE))
    defaults = RunConfig()
    for name in ("rank", "alpha", "epochs", "batch_size", "learning_rate", "max_seq_length"):
        assert float(shown[name]) == getattr(defaults, name)


def test_lock_holds_the_pinned_versions_each_with_a_hash() -> None:
    lock = read("requirements.lock")
    locked = pins(lock)
    wanted = pins(read("requirements.in")) | pins(read("requirements-gpu.in"))
    assert wanted.items() <= locked.items()
    assert lock.count("--hash=sha256:") == len(locked)


def test_dockerfile_starts_the_launcher_without_a_shell_and_without_root() -> None:
    lines = read("Dockerfile").splitlines()
    (entry,) = [line for line in lines if line.startswith("ENTRYPOINT")]
    assert re.fullmatch(r'ENTRYPOINT \["python", ".*/training_container/launch\.py"\]', entry)
    assert [line for line in lines if line.startswith("USER ")][-1] != "USER root"


def test_dockerfile_pins_its_base_and_its_packages() -> None:
    text = read("Dockerfile")
    assert re.search(r"^FROM [\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$", text, flags=re.MULTILINE)
    assert "--require-hashes" in text
