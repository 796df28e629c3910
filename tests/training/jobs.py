"""Datasets and jobs for the trainer's tests: rows in the product's formats, job folders."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from training_container.tiny_model import sentences

ROOT = Path(__file__).resolve().parents[2]
LAUNCHER = ROOT / "training_container" / "launch.py"
SYSTEM = "You are a patient financial coach. Answer in a few warm sentences."

SMALL = {
    "rank": "4", "alpha": "8", "epochs": "2", "batch_size": "4", "learning_rate": "1e-2",
    "max_seq_length": "1024", "tokens_per_microbatch": "768", "checkpoint_every_steps": "4",
    "evaluations_per_epoch": "1",
}  # fmt: skip
"""Hyperparameters of a run of about 20 steps and one second, all strings, as SageMaker has them."""


def conversation(seed: int, exchanges: int) -> list[dict[str, Any]]:
    """User and assistant messages in turn."""
    lines = list(sentences(seed, 2 * exchanges))
    roles = ("user", "assistant")
    return [{"role": roles[i % 2], "content": line} for i, line in enumerate(lines)]


def pair_rows(messages: list[dict[str, Any]], conversation_id: str) -> list[dict[str, Any]]:
    """brightrun-lora-v4 rows of a conversation; histories end with the current user turn."""
    return [
        {
            "id": f"turn{i + 1}_{conversation_id}",
            "conversation_id": conversation_id,
            "turn_number": i + 1,
            "system_prompt": SYSTEM,
            "conversation_history": [
                {"turn": n, **message} for n, message in enumerate(messages[:i], 1)
            ],
            "current_user_input": messages[i - 1]["content"],
            "target_response": messages[i]["content"],
        }
        for i in range(1, len(messages), 2)
    ]


def dataset_rows(conversations: int = 14, seed: int = 0) -> list[dict[str, Any]]:
    """v4 rows of conversations with two to four exchanges each."""
    draw = random.Random(seed)  # noqa: S311 - lengths, not a secret
    rows: list[dict[str, Any]] = []
    for number in range(conversations):
        messages = conversation(seed * 1000 + number, draw.randint(2, 4))
        rows += pair_rows(messages, f"conversation-{number}")
    return rows


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]], *, meta: bool = True) -> None:
    """A .jsonl file, with the `_meta` line first unless `meta` is false."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = [{"_meta": {"version": "4.0.0"}}] if meta else []
    path.write_text("\n".join(json.dumps(row) for row in [*head, *rows]), "utf-8")


def write_job(
    root: Path,
    model: Path,
    hyperparameters: Mapping[str, str] | None = None,
    rows: Iterable[Mapping[str, Any]] | None = None,
) -> Path:
    """An /opt/ml-like folder with a model, a dataset and hyperparameters; returns the folder."""
    config = root / "input" / "config"
    config.mkdir(parents=True, exist_ok=True)
    settings = {**SMALL, **(hyperparameters or {})}
    (config / "hyperparameters.json").write_text(json.dumps(settings), "utf-8")
    write_hosts(root, ["algo-1"], "algo-1")
    channels = root / "input" / "data"
    write_rows(channels / "training" / "train.jsonl", dataset_rows() if rows is None else rows)
    (channels / "model").symlink_to(model)
    return root


def write_hosts(
    root: Path, hosts: list[str], current: str, instance_type: str = "ml.m5.2xlarge"
) -> None:
    """Write the job's hosts, the current one, and what each of them is."""
    resources = {
        "current_host": current,
        "current_instance_type": instance_type,
        "hosts": hosts,
        "network_interface_name": "lo",
    }
    path = root / "input" / "config" / "resourceconfig.json"
    path.write_text(json.dumps(resources), "utf-8")


def environment(root: Path, processes: int = 1) -> dict[str, str]:
    """The environment of a container run over `root`."""
    return {
        "PATH": os.environ["PATH"],
        "SM_ML_ROOT": str(root),
        "TRAINING_JOB_NAME": "test-job",
        "TRAINER_PROCESSES": str(processes),
        "OMP_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",
    }


def start(root: Path, processes: int = 1, **variables: str) -> subprocess.Popen[str]:
    """Start the container's entry point over the folder, as SageMaker does."""
    return subprocess.Popen(
        [sys.executable, str(LAUNCHER), "train"],
        env={**environment(root, processes), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """(exit code, what it printed from here on)."""
    output, _ = process.communicate(timeout=120)
    return process.returncode, output


def wait_for_line(process: subprocess.Popen[str], start_of_line: str) -> None:
    """Read the output up to the first line with this start; fails with the output at its end."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        if line.startswith(start_of_line):
            return
        seen.append(line)
    raise AssertionError("".join(seen))


def train_here(root: Path) -> dict[str, Any]:
    """Run a training process inside this one; returns results.json."""
    from training_container.trainer.contract import JobPaths
    from training_container.trainer.job import run
    from training_container.trainer.stopping import StopSignal

    paths = JobPaths.from_environment(environment(root))
    run(paths, StopSignal(), 0, time.monotonic())
    return read_results(root)


def script_held_out(monkeypatch: pytest.MonkeyPatch, losses: Iterable[float]) -> None:
    """Let the run's evaluations give these mean losses in turn, equal for every answer token."""
    from training_container.trainer import step

    scripted = iter(losses)

    def measured(_: step.Trainer, examples: Sequence[Any]) -> list[float | None]:
        loss = next(scripted)
        found = [loss * example.targets() for example in examples]
        return [nats if math.isfinite(nats) else None for nats in found]

    monkeypatch.setattr(step.Trainer, "held_out_losses", measured)


def read_results(root: Path) -> dict[str, Any]:
    results: dict[str, Any] = json.loads((root / "model" / "results.json").read_bytes())
    return results


def failure(root: Path) -> str:
    return (root / "output" / "failure").read_text("utf-8")
