"""Every environment is installed by hash from a lock that keeps up with what it is made from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INPUTS = sorted(ROOT.glob("requirements/*.in"))
TORCH = "torch"
"""In no lock of requirements/: which build fits depends on the machine. See the Makefile."""


def wanted(path: Path) -> list[str]:
    """The requirement lines of a file and of those it includes."""
    lines: list[str] = []
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("-r "):
            lines += wanted(path.parent / line.removeprefix("-r "))
        elif line and not line.startswith("#"):
            lines.append(line)
    return lines


def name_of(requirement: str) -> str:
    (name,) = re.findall(r"^[\w.-]+", requirement)
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(path: Path) -> dict[str, str]:
    found = re.findall(r"^([\w.-]+)(?:\[.*\])?==(\S+)", path.read_text("utf-8"), re.MULTILINE)
    return {name_of(name): version for name, version in found}


@pytest.mark.parametrize("source", INPUTS, ids=lambda path: path.stem)
def test_a_lock_holds_what_its_source_asks_for_with_hashes(source: Path) -> None:
    lock = source.with_suffix(".lock")
    versions = locked(lock)
    for requirement in wanted(source):
        name = name_of(requirement)
        if name == TORCH:
            continue
        assert name in versions, f"{lock.name} lacks {name}: run the command in its first lines"
        pin = re.search(r"==([\w.]+)(?:\s|$)", requirement)
        assert pin is None or versions[name] == pin[1], requirement
    entries = re.split(
        r"^(?=[\w.-]+==)", re.sub(r"\[.*?\]==", "==", lock.read_text("utf-8")), flags=re.MULTILINE
    )
    assert all("--hash=sha256:" in entry for entry in entries[1:])
    assert "://" not in lock.read_text("utf-8")


@pytest.mark.parametrize("source", INPUTS, ids=lambda path: path.stem)
def test_a_requirement_says_why_it_is_there(source: Path) -> None:
    unexplained = [line for line in wanted(source) if not re.search(r"\s#\s\S", line)]
    assert unexplained == []


def test_the_benchmark_of_training_installs_over_the_training_lock_without_changing_it() -> None:
    training = locked(ROOT / "requirements" / "training.lock")
    benchmark = locked(ROOT / "requirements" / "benchmark_training.lock")
    shared = training.keys() & benchmark.keys()
    assert shared
    assert {name: benchmark[name] for name in shared} == {name: training[name] for name in shared}


def test_the_makefile_installs_by_hash_except_torch_at_the_trainers_version() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    installs = re.findall(r"/pip install (.*)$", text, re.MULTILINE)
    without_hashes = [
        line for line in installs if "--require-hashes" not in line and "--editable ." not in line
    ]
    (torch,) = [
        line.split("#")[0].strip()
        for line in wanted(ROOT / "training_container" / "requirements.in")
        if name_of(line) == TORCH
    ]
    assert [line.split()[-1] for line in without_hashes] == [torch]
