"""A delivered adapter and the files of its artifact."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from brightrun.core.rows import from_row
from brightrun.sft.verdict import HeldOut, adapter_verdict, perplexity, reduction_percent


@dataclass(frozen=True, slots=True)
class ArtifactFile:
    """A file: its object key, its size in bytes and its SHA-256 in hexadecimal."""

    name: str
    key: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ModelArtifact:
    """A delivered model; its id is derived from the job's, so that a job delivers one model.

    `quality_metrics` holds `overall_score` (1-5), the `verdict` against the base model and the
    `held_out` figures that both were computed from.
    """

    owner_id: str
    model_id: str
    job_id: str
    dataset_id: str
    name: str
    base_model: str
    created_at: str
    files: list[ArtifactFile]
    quality_metrics: dict[str, Any]
    training_summary: dict[str, Any]
    configuration: dict[str, Any]
    version: str = "1.0.0"
    description: str = ""
    status: Literal["stored"] = "stored"
    compatibility: dict[str, Any] = field(default_factory=dict)

    @property
    def quality_score(self) -> float | None:
        """The overall score, 1-5; None if it was not measured."""
        return self.quality_metrics.get("overall_score")

    @property
    def verdict(self) -> Mapping[str, Any]:
        """Better or worse than the base model, in a word and a sentence (sft/verdict.py)."""
        found: Mapping[str, Any] = self.quality_metrics["verdict"]
        return found

    @property
    def held_out(self) -> Mapping[str, Any]:
        """The losses of adapter and base on the held-out rows."""
        found: Mapping[str, Any] = self.quality_metrics["held_out"]
        return found

    @property
    def total_size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


def model_id_of(job_id: str) -> str:
    """The id of a job's model: a UUID version 7 with the job's time, so that ids sort by age."""
    milliseconds = uuid.UUID(job_id).int >> 80
    digest = int.from_bytes(hashlib.sha256(f"model:{job_id}".encode()).digest()[:10])
    value = (milliseconds << 80) | (0x7 << 76) | (digest >> 4 & ((1 << 76) - 1))
    value = value & ~(0b11 << 62) | (0b10 << 62)
    return str(uuid.UUID(int=value))


def read_model_artifact(row: Mapping[str, Any]) -> ModelArtifact:
    """Read a model from its row in the repository.

    A score from before there were verdicts rests on the trained rows alone, and is not shown.
    """
    metrics = row["quality_metrics"]
    if "verdict" not in metrics:
        metrics = {**metrics, **metrics_of(HeldOut(unmeasured="not_recorded"))}
    files = [ArtifactFile(**one) for one in row["files"]]
    return from_row(ModelArtifact, {**row, "files": files, "quality_metrics": metrics})


def metrics_of(found: HeldOut) -> dict[str, Any]:
    """The verdict and the figures that it rests on, under v1's names where v1 had them.

    `loss_reduction_percent` is that of the held-out loss against the base's, and the perplexity is
    that of the delivered weights on the held-out answers.
    """
    verdict = adapter_verdict(found)
    return {
        "overall_score": verdict.score,
        "convergence_quality": verdict.quality,
        "final_validation_loss": found.adapter_loss,
        "perplexity": perplexity(found.adapter_loss),
        "loss_reduction_percent": reduction_percent(found),
        "verdict": asdict(verdict),
        "held_out": found.figures(),
    }
