"""Checks an artifact from its first byte to its last, before any of it is delivered."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any, TypeVar

from pydantic import BaseModel, ValidationError

from brightrun.domain import serving_rules
from brightrun.domain.artifact_archive import HashedReader, files_of
from brightrun.domain.base_models import base_model
from brightrun.domain.dataset import Dataset
from brightrun.domain.safetensors_header import LENGTH_BYTES, Tensor, header_bytes, read_header
from brightrun.domain.training_job import TrainingJob
from brightrun.domain.training_results import Manifest, ManifestFile, TrainingResults
from brightrun.errors.training import UnusableAdapterError

MANIFEST = "manifest.json"
RESULTS = "results.json"
_DOCUMENTS = frozenset({MANIFEST, RESULTS, serving_rules.CONFIG, serving_rules.TOKENIZER_CONFIG})
_MOST_DOCUMENT_BYTES = 32 * 1024 * 1024
_CHUNK = 1024 * 1024

Document = TypeVar("Document", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Adapter:
    """What an artifact was found to be; `files` holds the manifest too, last."""

    results: TrainingResults
    manifest: Manifest
    files: tuple[ManifestFile, ...]
    compatibility: dict[str, Any]


@dataclass(slots=True)
class _Found:
    files: dict[str, ManifestFile] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)
    tensors: list[Tensor] | None = None


def inspect(archive: IO[bytes], job: TrainingJob, dataset: Dataset) -> Adapter:
    """Read the whole archive and check all that can be checked without loading the adapter.

    Every file is the one that the manifest lists; the adapter was trained for this job, on this
    dataset and base model; vLLM serves it. Raises UnusableAdapterError, naming what is wrong.
    """
    found = _read(archive)
    manifest = _document(Manifest, found, MANIFEST)
    results = _document(TrainingResults, found, RESULTS)
    _check_manifest(manifest, found)
    _check_origin(manifest, job, dataset)
    settings = _json(found, serving_rules.CONFIG)
    serving_rules.check_files(found.files, _json(found, serving_rules.TOKENIZER_CONFIG))
    rank = job.hyperparameters.rank
    max_rank = serving_rules.check_settings(settings, rank)
    tensors = found.tensors or []
    parameters = serving_rules.check_tensors(tensors, rank)
    own = found.files.pop(MANIFEST)
    compatibility = {
        "base_model": manifest.base_model.id,
        "base_model_revision": manifest.base_model.revision,
        "vllm_max_lora_rank": max_rank,
        "dtype": tensors[0].dtype,
        "parameters": parameters,
        "tensors": len(tensors),
        "versions": dict(manifest.versions),
        "checks": {
            name: value
            for name, value in results.checks.items()
            if isinstance(value, bool | int | float)
        },
    }
    return Adapter(results, manifest, (*found.files.values(), own), compatibility)


def _read(archive: IO[bytes]) -> _Found:
    found = _Found()
    for name, size, content in files_of(archive):
        if name in _DOCUMENTS:
            if size > _MOST_DOCUMENT_BYTES:
                raise UnusableAdapterError(f"{name} has {size} bytes; that is no such file.")
            found.documents[name] = content.read(size) or b""
        elif name == serving_rules.WEIGHTS:
            found.tensors = _tensors(content, size)
        while content.read(_CHUNK):
            pass
        if content.length != size:
            raise UnusableAdapterError(f"{name} is cut off: {content.length} of {size} bytes.")
        found.files[name] = ManifestFile(path=name, bytes=size, sha256=content.sha256)
    return found


def _tensors(content: HashedReader, size: int) -> list[Tensor]:
    reader = io.BufferedReader(content, _CHUNK)
    length = header_bytes(reader.read(LENGTH_BYTES), size)
    tensors = read_header(reader.read(length), size)
    reader.detach()
    return tensors


def _document(kind: type[Document], found: _Found, name: str) -> Document:
    try:
        return kind.model_validate_json(found.documents[name])
    except KeyError:
        raise UnusableAdapterError(f"The artifact lacks {name}.") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UnusableAdapterError(f"{name}: {where}: {first['msg']}.") from error


def _json(found: _Found, name: str) -> Mapping[str, Any]:
    try:
        document = json.loads(found.documents.get(name, b"{}"))
    except (ValueError, RecursionError) as error:
        raise UnusableAdapterError(f"{name} is not JSON.") from error
    if not isinstance(document, dict):
        raise UnusableAdapterError(f"{name} does not hold a JSON object.")
    return document


def _check_manifest(manifest: Manifest, found: _Found) -> None:
    """Every file is listed, every listed file is there, and each is what the list says."""
    listed = {one.path: one for one in manifest.files}
    there = {name: one for name, one in found.files.items() if name != MANIFEST}
    for name in sorted(listed.keys() | there.keys()):
        if listed.get(name) != there.get(name):
            raise UnusableAdapterError(
                f"{name} is not the file that the manifest lists: it is missing on one side, or "
                "its size or SHA-256 is another."
            )


def _check_origin(manifest: Manifest, job: TrainingJob, dataset: Dataset) -> None:
    wanted = base_model(job.base_model)
    base = manifest.base_model
    if (base.id, base.revision) != (wanted.hub_id, wanted.revision):
        raise UnusableAdapterError(
            f"The adapter belongs to {base.id} at {base.revision}, not to {wanted.hub_id} at "
            f"{wanted.revision}."
        )
    if [one.sha256 for one in manifest.dataset] != [dataset.sha256]:
        raise UnusableAdapterError(
            "The adapter was trained on other files than the dataset's: their SHA-256 differ."
        )
    if manifest.job != job.external_job_id:
        raise UnusableAdapterError(
            f"The adapter was made by the training job {manifest.job}, not {job.external_job_id}."
        )
