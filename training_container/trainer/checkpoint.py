"""Checkpoints that are safe against a kill at any time and against SageMaker's copying to S3.

Files go into a hidden folder that is renamed once complete; a marker with the files' hashes is
written last, and only a checkpoint whose marker holds is resumed from.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors.torch import load_file, save_file

from training_container.trainer.errors import CheckpointError

KEPT = 2
TENSORS = "tensors.safetensors"
STATE = "state.json"
MARKER = "COMPLETE"


class Evaluation(msgspec.Struct):
    """One measurement on the held-out conversations; the loss is None if it was not finite."""

    step: int
    loss: float | None


class Progress(msgspec.Struct):
    """The state of a run that the next step or the verdict depends on, tensors aside.

    `base_losses` and `best_losses` are those of each held-out example, in nats: before the first
    step, and at `best_step`.
    """

    run: str
    step: int = 0
    losses: list[float] = []
    evaluations: list[Evaluation] = []
    best_step: int = 0
    base_losses: list[float | None] = []
    best_losses: list[float | None] = []
    target_tokens: int = 0
    tokens: int = 0
    train_seconds: float = 0.0
    elapsed_seconds: float = 0.0


def run_fingerprint(settings: Mapping[str, Any], files: list[dict[str, Any]]) -> str:
    """A hash of the settings that decide the losses and of the data's hashes."""
    text = json.dumps([settings, [f["sha256"] for f in files]], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def save(folder: Path, progress: Progress, tensors: Mapping[str, torch.Tensor]) -> Path:
    """Write a checkpoint for `progress.step` and drop all but the newest KEPT."""
    target = folder / f"step-{progress.step:08d}"
    partial = folder / f".partial-{progress.step:08d}"
    for left in folder.glob(".partial-*"):
        shutil.rmtree(left)
    partial.mkdir(parents=True)
    save_file({name: t.detach().cpu().contiguous() for name, t in tensors.items()},
              partial / TENSORS)  # fmt: skip
    (partial / STATE).write_bytes(msgspec.json.encode(progress))
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
    (target / MARKER).write_text(json.dumps(_hashes(target)), "utf-8")
    for old in _steps(folder)[:-KEPT]:
        shutil.rmtree(old)
    return target


def latest(folder: Path, run: str) -> tuple[Progress, dict[str, torch.Tensor]] | None:
    """The newest complete checkpoint, or None; incomplete and damaged ones are skipped.

    Raises CheckpointError when it was written by a run with other settings or data.
    """
    for path in reversed(_steps(folder)):
        if not _is_complete(path):
            continue
        progress = msgspec.json.decode((path / STATE).read_bytes(), type=Progress)
        if progress.run != run:
            raise CheckpointError(
                f"{path.name} was written by a run with other settings or data; give this job a "
                "checkpoint location of its own."
            )
        return progress, load_file(path / TENSORS)
    return None


def _steps(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*"))


def _hashes(path: Path) -> dict[str, str]:
    names = (TENSORS, STATE)
    return {name: sha256_of(path / name) for name in names}


def sha256_of(path: Path) -> str:
    """The file's SHA-256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_complete(path: Path) -> bool:
    try:
        marked: Any = json.loads((path / MARKER).read_bytes())
        return bool(marked == _hashes(path))
    except (OSError, ValueError):
        return False
