"""The job's output: adapter, tokenizer, results, model card and bill of materials."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import time
from pathlib import Path
from typing import Any

import msgspec

from brightrun.sft.dataset import Dataset
from brightrun.sft.verdict import adapter_verdict
from training_container.trainer.card import model_card
from training_container.trainer.checkpoint import sha256_of
from training_container.trainer.config import RunConfig
from training_container.trainer.contract import JobPaths
from training_container.trainer.fit import Outcome
from training_container.trainer.model import local_revision_files

PACKAGES = ("torch", "transformers", "peft", "tokenizers", "safetensors", "accelerate")
MANIFEST = "manifest.json"
RESULTS = "results.json"


def write_adapter(folder: Path, model: Any, tokenizer: Any, dataset: Dataset) -> None:
    """Write the adapter, the tokenizer with its chat template, and the generation config.

    The stop tokens that were trained are added to those of the base model.
    """
    from transformers import GenerationConfig

    model.save_pretrained(folder, save_embedding_layers=False)
    tokenizer.save_pretrained(folder)
    generation: GenerationConfig = model.get_base_model().generation_config
    base_stops = generation.eos_token_id
    stops = base_stops if isinstance(base_stops, list) else [base_stops]
    trained = {example.ids[end - 1] for example in dataset.train for _, end in example.spans}
    generation.eos_token_id = sorted({stop for stop in stops if stop is not None} | trained)
    # Not save_pretrained: it refuses sampling settings that some published models carry.
    generation.to_json_file(folder / "generation_config.json")


def results(
    config: RunConfig, dataset: Dataset, outcome: Outcome, extra: dict[str, Any]
) -> dict[str, Any]:
    """The content of results.json; a figure is measured, or null where it is unknown."""
    progress = outcome.progress
    evaluations = [{"step": e.step, "loss": e.loss} for e in progress.evaluations]
    trained = [e.loss for e in progress.evaluations if e.step]
    finite = [loss for loss in trained if loss is not None]
    last = progress.losses[-10:]
    return {
        "status": outcome.reason.status,
        "stopped_because": outcome.reason.name.lower(),
        "steps": progress.step,
        "total_steps": len(dataset.steps),
        "epochs_completed": round(dataset.steps[progress.step - 1].epoch, 4),
        "published_step": outcome.published_step,
        "resumed_from_step": outcome.resumed_from,
        "first_loss": progress.losses[0],
        "final_loss": progress.losses[-1],
        "mean_last_10_loss": sum(last) / len(last),
        "verdict": msgspec.to_builtins(adapter_verdict(outcome.held_out)),
        "held_out": outcome.held_out.figures(),
        "base_validation_loss": outcome.held_out.base_loss,
        "best_validation_loss": min(finite, default=None),
        "final_validation_loss": trained[-1] if trained else None,
        "losses": progress.losses,
        "evaluations": evaluations,
        "tokens": progress.tokens,
        "target_tokens": progress.target_tokens,
        "train_seconds": round(progress.train_seconds, 3),
        "tokens_per_second": progress.tokens / max(progress.train_seconds, 1e-9),
        "dataset": {**dataset.summary(), **msgspec.to_builtins(dataset.report)},
        "settings": msgspec.to_builtins(config),
        **extra,
    }


def write_documents(
    folder: Path, paths: JobPaths, summary: dict[str, Any], source: dict[str, Any]
) -> None:
    """Write results.json, the model card and, last, the manifest of every file in the folder.

    The folder must belong to this job alone: files that an earlier attempt left are listed too.
    """
    (folder / RESULTS).write_text(json.dumps(summary, indent=2) + "\n", "utf-8")
    (folder / "README.md").write_text(model_card(summary), "utf-8")
    manifest = {
        "format": "brightrun-adapter-manifest-1",
        "job": paths.job_name,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "base_model": {
            "id": summary["base_model"],
            "revision": summary["settings"]["base_model_revision"] or None,
            "files": [_entry(file, file.parent) for file in local_revision_files(source)],
        },
        "dataset": summary["dataset"]["files"],
        "versions": versions(),
        "settings": summary["settings"],
        "losses": {
            key: summary[key]
            for key in ("first_loss", "final_loss", "base_validation_loss", "best_validation_loss")
        },
        "held_out": summary["held_out"],
        "estimated_cost_usd": summary["estimated_cost_usd"],
        "files": [
            _entry(file, folder)
            for file in sorted(folder.rglob("*"))
            if file.is_file() and file.name != MANIFEST
        ],
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


def _entry(file: Path, folder: Path) -> dict[str, Any]:
    return {
        "path": str(file.relative_to(folder)),
        "bytes": file.stat().st_size,
        "sha256": sha256_of(file),
    }


def versions() -> dict[str, str | None]:
    """The versions of Python, CUDA (None for a CPU build) and the packages in PACKAGES."""
    import torch

    found: dict[str, str | None] = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), "cuda": torch.version.cuda, **found}
