"""The whole way with the real container: a base model built here, a job, an adapter.

Needs the training environment, which ``make test`` sets up before it runs the tests.
"""

import io
import json
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.sagemaker.base_model import PREFIX, phrases
from local.settings import Settings
from tests.local.running_system import ASSEMBLY, RunningSystem, start_fixture_system, until
from tests.local.sagemaker.emulated import channel, job_request

PYTHON = Settings.from_environment({}).training_python
TORCH_SECONDS = 600.0
"""More than torch needs to start on a machine that is busy with other tests."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason=f"torch is not installed: no {PYTHON}"),
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    """An engine whose templates name a bucket for base models."""
    folder = tmp_path_factory.mktemp("trained")
    assembly = Path(shutil.copytree(ASSEMBLY, folder / "assembly"))
    file = assembly / "FixtureData.template.json"
    template = json.loads(file.read_text())
    template["Outputs"]["BaseModelsBucketName"] = {"Value": {"Ref": "Bucket"}}
    file.write_text(json.dumps(template))
    running = start_fixture_system(folder / "data", assembly)
    yield running
    running.stop()


def test_base_model_is_built_once_and_lies_where_base_models_lie(trained: RunningSystem) -> None:
    _wait_for_the_base_model(trained)
    s3, bucket = trained.aws("s3"), trained.outputs["BaseModelsBucketName"]
    stored = s3.list_objects_v2(Bucket=bucket, Prefix=PREFIX)["Contents"]
    names = {entry["Key"].removeprefix(PREFIX) for entry in stored}
    assert {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "chat_template.jinja",
        "generation_config.json",
    } <= names


def test_job_trains_an_adapter_whose_loss_falls(trained: RunningSystem) -> None:
    _wait_for_the_base_model(trained)
    s3, bucket = trained.aws("s3"), trained.outputs["BucketName"]
    s3.put_object(Bucket=bucket, Key="data/train.jsonl", Body=_conversations().encode())
    sagemaker = trained.aws("sagemaker")
    sagemaker.create_training_job(
        **{
            **job_request("real-1"),
            "HyperParameters": {
                "recipe": "smoke_cpu",
                "epochs": "2",
                "max_seq_length": "1024",
                "base_model": "brightrun-tiny",
                "base_model_revision": "v1",
            },
            "InputDataConfig": [
                channel("training", f"s3://{bucket}/data/"),
                channel("model", f"s3://{trained.outputs['BaseModelsBucketName']}/{PREFIX}"),
            ],
            "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models"},
            "CheckpointConfig": {"S3Uri": f"s3://{bucket}/checkpoints/real-1"},
        }
    )
    ended = until(
        lambda: _ended(sagemaker.describe_training_job(TrainingJobName="real-1")),
        seconds=TORCH_SECONDS,
    )
    assert ended["TrainingJobStatus"] == "Completed", ended.get("FailureReason")
    body = s3.get_object(Bucket=bucket, Key="models/real-1/output/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        names = archive.getnames()
        results = json.load(archive.extractfile("results.json") or io.BytesIO())
    assert {"adapter_model.safetensors", "adapter_config.json", "manifest.json"} <= set(names)
    assert results["losses"][-1] < results["losses"][0]
    listed = s3.list_objects_v2(Bucket=bucket, Prefix="checkpoints/real-1/")["Contents"]
    assert "checkpoints/real-1/metrics.jsonl" in {entry["Key"] for entry in listed}


def test_phrases_of_the_tokenizer_are_the_same_each_time() -> None:
    first = list(phrases())
    assert len(first) > 500
    assert first == list(phrases())


def _wait_for_the_base_model(system: RunningSystem) -> None:
    def is_built() -> bool:
        state = system.request("GET", "/_local/status").document["tiny_base_model"]
        assert state in ("being built", "ready"), state
        return bool(state == "ready")

    until(is_built, seconds=TORCH_SECONDS)


def _ended(job: dict[str, Any]) -> dict[str, Any] | None:
    return job if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None


def _conversations() -> str:
    texts = [text for text in phrases() if len(text) > 40]
    rows = []
    for number in range(24):
        question, answer = texts[number], texts[number + 24]
        messages = [
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer},
        ]
        rows.append(json.dumps({"messages": messages}))
    return "\n".join(rows)
