"""A delivered model: the adapter's files, what they were made from, and how good they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class ArtifactFile:
    """One file: its object key, its size in bytes and its SHA-256 in hexadecimal."""

    name: str
    key: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ModelArtifact:
    """A model's row; `model_id` is derived from the job, so that a job delivers one model."""

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


def read_model_artifact(row: Mapping[str, Any]) -> ModelArtifact:
    """Read a row as the repository stored it."""
    names = {one.name for one in dataclasses.fields(ModelArtifact)}
    kept = {name: value for name, value in row.items() if name in names}
    return ModelArtifact(**{**kept, "files": [ArtifactFile(**one) for one in row["files"]]})
