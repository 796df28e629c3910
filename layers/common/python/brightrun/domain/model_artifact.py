"""A delivered model: the adapter's files, what they were made from, and how good they are."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from brightrun.domain.rows import from_row


@dataclass(frozen=True, slots=True)
class ArtifactFile:
    """One file: its object key, its size in bytes and its SHA-256 in hexadecimal."""

    name: str
    key: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ModelArtifact:
    """A model's row; `model_id` is derived from the job, so that a job delivers one model.

    `quality_metrics` holds `overall_score` (1-5) and what it was computed from.
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


def model_id_of(job_id: str) -> str:
    """Name the model of a job: a UUID version 7 of the job's moment, so that ids sort by age."""
    moment = uuid.UUID(job_id).int >> 80
    digest = int.from_bytes(hashlib.sha256(f"model:{job_id}".encode()).digest()[:10])
    value = (moment << 80) | (0x7 << 76) | (digest >> 4 & ((1 << 76) - 1))
    value = value & ~(0b11 << 62) | (0b10 << 62)
    return str(uuid.UUID(int=value))


def read_model_artifact(row: Mapping[str, Any]) -> ModelArtifact:
    """Read a row as the repository stored it."""
    return from_row(ModelArtifact, {**row, "files": [ArtifactFile(**one) for one in row["files"]]})
