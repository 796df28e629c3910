"""Checks an adapter's artifact by the rules of vLLM and PEFT, before it is delivered.

vLLM's rules are those that the container checks by, too; it also loads the adapter and checks its
numbers.
"""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, TypeVar

from pydantic import BaseModel, ValidationError

from brightrun.catalog.base_models import base_model
from brightrun.core.errors import UnusableAdapterError
from brightrun.sft.servable import (
    VLLM_RANKS,
    max_lora_rank,
    modules_complaint,
    settings_complaint,
)
from brightrun.training.adapters.archive import (
    LENGTH_BYTES,
    HashedReader,
    Tensor,
    files_of,
    header_bytes,
    read_header,
)
from brightrun.training.adapters.results import Manifest, ManifestFile, TrainingResults
from brightrun.training.model import TrainingJob

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
CHAT_TEMPLATE = "chat_template.jinja"
REQUIRED = (
    WEIGHTS,
    CONFIG,
    TOKENIZER_CONFIG,
    "generation_config.json",
    "results.json",
    "README.md",
)
TOKENIZERS = frozenset({"tokenizer.json", "tokenizer.model", "vocab.json"})


def check_files(names: Collection[str], tokenizer_config: Mapping[str, Any]) -> None:
    """Raise UnusableAdapterError that names every missing file."""
    missing = [name for name in REQUIRED if name not in names]
    if not TOKENIZERS & set(names):
        missing.append("tokenizer.json")
    if CHAT_TEMPLATE not in names and not tokenizer_config.get("chat_template"):
        missing.append(CHAT_TEMPLATE)
    if missing:
        raise UnusableAdapterError(f"The artifact lacks {', '.join(missing)}.")


def check_settings(settings: Mapping[str, Any], rank: int) -> int:
    """Check adapter_config.json and return the --max-lora-rank that serves it.

    Raises UnusableAdapterError, naming the setting at fault.
    """
    if settings.get("peft_type") != "LORA":
        raise UnusableAdapterError(f"The adapter is of the type {settings.get('peft_type')!r}.")
    if settings.get("r") != rank:
        raise UnusableAdapterError(
            f"The adapter has the rank {settings.get('r')!r}, not {rank} as the job requested."
        )
    modules = settings.get("target_modules")
    named = [modules] if isinstance(modules, str) else modules or ()
    if complaint := settings_complaint(settings) or modules_complaint(named):
        raise UnusableAdapterError(complaint)
    allowed = max_lora_rank(rank)
    if allowed is None:
        raise UnusableAdapterError(f"The rank {rank} is above {VLLM_RANKS[-1]}, vLLM's most.")
    return allowed


def check_tensors(tensors: Sequence[Tensor], rank: int) -> int:
    """Check that every tensor is half of a LoRA pair of this rank; return the number of values.

    Raises UnusableAdapterError, naming the tensor at fault.
    """
    names = {tensor.name for tensor in tensors}
    if not names:
        raise UnusableAdapterError("The adapter holds no tensor.")
    for tensor in tensors:
        partner = _partner(tensor.name)
        if partner is None:
            raise UnusableAdapterError(f"{tensor.name} is not part of a LoRA adapter.")
        if partner not in names:
            raise UnusableAdapterError(f"{tensor.name} lacks its other half, {partner}.")
        inner = 0 if ".lora_A." in tensor.name else 1
        if len(tensor.shape) != 2 or tensor.shape[inner] != rank:
            raise UnusableAdapterError(
                f"{tensor.name} has the shape {tensor.shape}, not the rank {rank}."
            )
    return sum(tensor.values for tensor in tensors)


def _partner(name: str) -> str | None:
    for ours, other in ((".lora_A.", ".lora_B."), (".lora_B.", ".lora_A.")):
        if ours in name and name.endswith("weight"):
            return name.replace(ours, other)
    return None


MANIFEST = "manifest.json"
RESULTS = "results.json"
_DOCUMENTS = frozenset({MANIFEST, RESULTS, CONFIG, TOKENIZER_CONFIG})
_MOST_DOCUMENT_BYTES = 32 * 1024 * 1024
_CHUNK = 1024 * 1024
Document = TypeVar("Document", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Adapter:
    """A checked artifact; `files` holds the manifest too, last."""

    results: TrainingResults
    manifest: Manifest
    files: tuple[ManifestFile, ...]
    compatibility: dict[str, Any]


@dataclass(slots=True)
class _Contents:
    files: dict[str, ManifestFile] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)
    tensors: list[Tensor] | None = None


def inspect(archive: IO[bytes], job: TrainingJob, dataset_sha256: str | None) -> Adapter:
    """Read the whole archive and check what can be checked without loading the adapter.

    Every file is the one that the manifest lists; the adapter was trained for this job, on the
    dataset of this digest and on the job's base model; vLLM can serve it. Raises
    UnusableAdapterError, naming what is wrong.
    """
    found = _read(archive)
    manifest = _document(Manifest, found, MANIFEST)
    results = _document(TrainingResults, found, RESULTS)
    _check_manifest(manifest, found)
    _check_origin(manifest, job, dataset_sha256)
    settings = _json(found, CONFIG)
    check_files(found.files, _json(found, TOKENIZER_CONFIG))
    rank = job.hyperparameters.rank
    max_rank = check_settings(settings, rank)
    tensors = found.tensors or []
    parameters = check_tensors(tensors, rank)
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


def _read(archive: IO[bytes]) -> _Contents:
    found = _Contents()
    for name, size, content in files_of(archive):
        if name in _DOCUMENTS:
            if size > _MOST_DOCUMENT_BYTES:
                raise UnusableAdapterError(f"{name} has {size} bytes, which is too large.")
            found.documents[name] = content.read(size) or b""
        elif name == WEIGHTS:
            found.tensors = _tensors(content, size)
        while content.read(_CHUNK):
            pass
        if content.length != size:
            raise UnusableAdapterError(f"{name} is truncated: {content.length} of {size} bytes.")
        found.files[name] = ManifestFile(path=name, bytes=size, sha256=content.sha256)
    return found


def _tensors(content: HashedReader, size: int) -> list[Tensor]:
    reader = io.BufferedReader(content, _CHUNK)
    length = header_bytes(reader.read(LENGTH_BYTES), size)
    tensors = read_header(reader.read(length), size)
    reader.detach()
    return tensors


def _document(kind: type[Document], found: _Contents, name: str) -> Document:
    try:
        return kind.model_validate_json(found.documents[name])
    except KeyError:
        raise UnusableAdapterError(f"The artifact lacks {name}.") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UnusableAdapterError(f"{name}: {where}: {first['msg']}.") from error


def _json(found: _Contents, name: str) -> Mapping[str, Any]:
    try:
        document = json.loads(found.documents.get(name, b"{}"))
    except (ValueError, RecursionError) as error:
        raise UnusableAdapterError(f"{name} is not JSON.") from error
    if not isinstance(document, dict):
        raise UnusableAdapterError(f"{name} does not hold a JSON object.")
    return document


def _check_manifest(manifest: Manifest, found: _Contents) -> None:
    """Check that the files and the manifest's list are the same, with sizes and hashes."""
    listed = {one.path: one for one in manifest.files}
    stored = {name: one for name, one in found.files.items() if name != MANIFEST}
    for name in sorted(listed.keys() | stored.keys()):
        if listed.get(name) != stored.get(name):
            raise UnusableAdapterError(
                f"{name} is not the file that the manifest lists: it is missing on one side, or "
                "its size or SHA-256 differs."
            )


def _check_origin(manifest: Manifest, job: TrainingJob, dataset_sha256: str | None) -> None:
    expected = base_model(job.base_model)
    base = manifest.base_model
    if (base.id, base.revision) != (expected.hub_id, expected.revision):
        raise UnusableAdapterError(
            f"The adapter belongs to {base.id} at {base.revision}, not to {expected.hub_id} at "
            f"{expected.revision}."
        )
    if [one.sha256 for one in manifest.dataset] != [dataset_sha256]:
        raise UnusableAdapterError(
            "The adapter was trained on other files than the dataset's: their SHA-256 differ."
        )
    if manifest.job != job.external_job_id:
        raise UnusableAdapterError(
            f"The adapter was made by the training job {manifest.job}, not {job.external_job_id}."
        )
