"""All of an artifact is checked before any of it is delivered."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from brightrun.core.errors import UnusableAdapterError
from brightrun.training.adapters.inspect_adapter import Adapter, inspect
from brightrun.training.model import TrainingJob
from tests.fakes import adapter
from tests.fakes.training_jobs import a_training_job

JOB = a_training_job()
SHA256 = adapter.DATASET_SHA256


def inspected(files: dict[str, bytes], manifest: dict[str, Any], job: TrainingJob = JOB) -> Adapter:
    document = json.dumps(manifest).encode()
    return inspect(io.BytesIO(adapter.packed({**files, "manifest.json": document})), job, SHA256)


def refusal(files: dict[str, bytes], changes: dict[str, Any] | None = None) -> str:
    with pytest.raises(UnusableAdapterError) as refused:
        inspected(files, {**adapter.manifest(JOB, files), **(changes or {})})
    return refused.value.message


def test_a_complete_artifact_is_described() -> None:
    found = inspect(io.BytesIO(adapter.an_artifact(JOB)), JOB, SHA256)
    assert found.results.final_loss == 1.25
    assert found.compatibility["vllm_max_lora_rank"] == 16
    assert found.compatibility["parameters"] == 4 * 16 * adapter.WIDTH
    assert found.compatibility["checks"] == {"finite": True, "largest_logit_change": 0.5}
    assert [one.path for one in found.files][-1] == "manifest.json"
    assert len(found.files) == 9


@pytest.mark.parametrize("name", sorted(adapter.files_of(JOB)))
def test_a_byte_that_differs_from_the_manifest_is_found(name: str) -> None:
    files = adapter.files_of(JOB)
    manifest = adapter.manifest(JOB, files)
    body = bytearray(files[name])
    body[-1] ^= 1
    with pytest.raises(UnusableAdapterError):
        inspected({**files, name: bytes(body)}, manifest)


@pytest.mark.parametrize("name", sorted(adapter.files_of(JOB)))
def test_a_file_that_is_missing_is_named(name: str) -> None:
    files = adapter.files_of(JOB)
    manifest = adapter.manifest(JOB, files)
    del files[name]
    with pytest.raises(UnusableAdapterError, match=name.replace(".", r"\.")):
        inspected(files, manifest)


def test_a_file_that_no_manifest_lists_is_refused() -> None:
    files = adapter.files_of(JOB)
    manifest = adapter.manifest(JOB, files)
    with pytest.raises(UnusableAdapterError, match=r"extra\.bin"):
        inspected({**files, "extra.bin": b"x"}, manifest)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"dataset": [{"name": "rows.jsonl", "sha256": "cd" * 32}]}, "other files"),
        ({"dataset": []}, "other files"),
        ({"base_model": {"id": "example/other", "revision": "main"}}, "example/other"),
        ({"job": "brightrun-other"}, "brightrun-other"),
        ({"format": "something-2"}, "format"),
        ({"files": [{"path": "a", "bytes": -1, "sha256": "no"}]}, "files"),
    ],
)
def test_an_adapter_of_something_else_is_refused(changes: dict[str, Any], named: str) -> None:
    assert named in refusal(adapter.files_of(JOB), changes)


@pytest.mark.parametrize(
    ("document", "named"),
    [
        (b"not json", "results.json"),
        (b"[]", "results.json"),
        (json.dumps(adapter.results(final_loss=1e200)).encode(), "final_loss"),
        (json.dumps(adapter.results(status="fine")).encode(), "status"),
        (b'{"status": "completed", "first_loss": NaN}', "results.json"),
    ],
)
def test_results_that_cannot_be_believed_are_refused(document: bytes, named: str) -> None:
    assert named in refusal({**adapter.files_of(JOB), "results.json": document})


def test_settings_that_are_no_object_are_refused() -> None:
    assert "object" in refusal({**adapter.files_of(JOB), "adapter_config.json": b"[1]"})
    assert "not JSON" in refusal({**adapter.files_of(JOB), "adapter_config.json": b"{"})


def test_weights_of_another_rank_than_was_asked_for_are_refused() -> None:
    files = adapter.files_of(JOB, weights=adapter.a_safetensors(8))
    assert "rank 16" in refusal(files)


def test_a_document_that_is_no_document_by_its_size_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("brightrun.training.adapters.inspect_adapter._MOST_DOCUMENT_BYTES", 10)
    assert "bytes" in refusal(adapter.files_of(JOB))
