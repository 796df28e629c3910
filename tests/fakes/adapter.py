"""The output of a training container, made without torch: files, manifest, model.tar.gz."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from typing import Any

from brightrun.catalog.base_models import base_model
from brightrun.training.model import TrainingJob

DATASET_SHA256 = "ab" * 32
WIDTH = 64


def a_safetensors(
    rank: int = 16, *, modules: Iterable[str] = ("q_proj", "up_proj"), dtype: str = "BF16"
) -> bytes:
    """An adapter's weights: zeros, under a header that is right."""
    size = {"BF16": 2, "F32": 4}[dtype]
    tensors: dict[str, tuple[int, int]] = {}
    for module in modules:
        stem = f"base_model.model.model.layers.0.{module}"
        tensors[f"{stem}.lora_A.weight"] = (rank, WIDTH)
        tensors[f"{stem}.lora_B.weight"] = (WIDTH, rank)
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, shape in tensors.items():
        length = shape[0] * shape[1] * size
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + length]}
        at += length
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(at)


def held_out(
    base: float | None, published: float | None, half: float | None, **changes: Any
) -> dict[str, Any]:
    """The trainer's comparison, with an interval of the difference plus and minus `half`."""
    width = None if half is None or base is None or published is None else half
    middle = (published or 0.0) - (base or 0.0)
    return {
        "pairs": 12,
        "conversations": 12,
        "tokens": 900,
        "base_loss": base,
        "adapter_loss": published,
        "difference_low": None if width is None else middle - width,
        "difference_high": None if width is None else middle + width,
        "unmeasured": None,
        **changes,
    }


def results(**changes: Any) -> dict[str, Any]:
    """results.json of a run that went well."""
    return {
        "status": "completed",
        "stopped_because": "finished",
        "steps": 33,
        "total_steps": 33,
        "epochs_completed": 3.0,
        "published_step": 33,
        "first_loss": 2.0,
        "final_loss": 1.25,
        "mean_last_10_loss": 1.3,
        "base_validation_loss": 2.1,
        "best_validation_loss": 1.5,
        "final_validation_loss": 1.5,
        "losses": [2.0, 1.25],
        "evaluations": [{"step": 0, "loss": 2.1}, {"step": 33, "loss": 1.5}],
        "held_out": held_out(2.1, 1.5, 0.1),
        "tokens": 172_107,
        "target_tokens": 40_000,
        "train_seconds": 60.5,
        "tokens_per_second": 2844.7,
        "elapsed_seconds": 90.0,
        "flops_per_second": 4e14,
        "dataset": {"train_pairs": 40, "files": [{"name": "rows.jsonl"}]},
        "checks": {"finite": True, "largest_logit_change": 0.5},
        **changes,
    }


def adapter_config(**changes: Any) -> dict[str, Any]:
    return {
        "peft_type": "LORA",
        "r": 16,
        "lora_alpha": 32,
        "bias": "none",
        "target_modules": ["q_proj", "up_proj"],
        "modules_to_save": None,
        **changes,
    }


def files_of(
    job: TrainingJob,
    *,
    settings: Mapping[str, Any] | None = None,
    weights: bytes | None = None,
    **result: Any,
) -> dict[str, bytes]:
    """Every file of the model folder but the manifest."""
    rank = job.hyperparameters.rank
    documents = {
        "adapter_config.json": settings or adapter_config(r=rank),
        "tokenizer_config.json": {"model_max_length": 4096},
        "tokenizer.json": {"version": "1.0"},
        "generation_config.json": {"eos_token_id": [2]},
        "results.json": results(**result),
    }
    return {
        "adapter_model.safetensors": a_safetensors(rank) if weights is None else weights,
        "chat_template.jinja": b"{% for m in messages %}{{ m.content }}{% endfor %}",
        "README.md": b"# LoRA adapter\n",
        **{name: json.dumps(document).encode() for name, document in documents.items()},
    }


def manifest(job: TrainingJob, files: Mapping[str, bytes], **changes: Any) -> dict[str, Any]:
    """The bill of materials over the files."""
    model = base_model(job.base_model)
    return {
        "format": "brightrun-adapter-manifest-1",
        "job": job.external_job_id,
        "created": "2026-11-21T12:30:00Z",
        "base_model": {"id": model.hub_id, "revision": model.revision, "files": []},
        "dataset": [{"name": "rows.jsonl", "sha256": DATASET_SHA256}],
        "versions": {"torch": "2.13.0", "peft": "0.21.0"},
        "settings": {"rank": job.hyperparameters.rank, "seed": 42},
        "files": [
            {"path": name, "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
            for name, body in sorted(files.items())
        ],
        **changes,
    }


def an_artifact(job: TrainingJob, **result: Any) -> bytes:
    """model.tar.gz of a job that went well, or ended as `result` says."""
    files = files_of(job, **result)
    return packed({**files, "manifest.json": json.dumps(manifest(job, files)).encode()})


def packed(files: Mapping[str, bytes]) -> bytes:
    """A tar.gz with the files, as SageMaker packs a folder."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        folder = tarfile.TarInfo(".")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, body in files.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(body)
            member.mtime = 1_763_726_400.25  # makes a pax header
            archive.addfile(member, io.BytesIO(body))
    return target.getvalue()


def metrics_lines(steps: range, total: int = 33, *, at: float = 1_795_000_000.0) -> bytes:
    """What a trainer writes while it trains."""
    lines = [
        {
            "kind": "step",
            "step": step,
            "total_steps": total,
            "epoch": round(3 * step / total, 4),
            "train_loss": 2.0 - step / 50,
            "learning_rate": 5e-5,
            "grad_norm": 1.0,
            "tokens_per_second": 1800.0,
            "time": at + step,
        }
        for step in steps
    ]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)
