"""The demo's last two parts, dataset and adapter, against the fake system."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.client import ApiClient
from cli.config import ProfileStore, config_dir
from cli.render import make_console
from cli.session import Session
from local.demo_dataset import make_dataset
from local.demo_training import train_an_adapter
from local.errors import LocalError
from tests.cli.fake_system import FakeSystem
from tests.cli.fake_training import (
    BROKEN,
    COMPLETED,
    DATASET,
    FAILED,
    JOB,
    RUNNING,
    FakeUploads,
    serve_datasets,
    serve_training,
)

pytestmark = pytest.mark.usefixtures("signed_in")


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiClient]:
    monkeypatch.setattr("cli.training_watching.time.sleep", lambda _: None)
    store = ProfileStore(config_dir())
    session = Session(store.load(store.current_name), store)
    with ApiClient(session.profile.api_url, session) as opened:
        yield opened


def test_the_training_file_becomes_a_ready_dataset(client: ApiClient, system: FakeSystem) -> None:
    serve_datasets(system, FakeUploads(system))
    assert make_dataset(client, make_console(), "f-1") == {
        "dataset_id": DATASET,
        "dataset_status": "ready",
        "dataset_tokens": 9000,
    }


def test_a_dataset_that_is_not_ready_ends_the_demo(client: ApiClient, system: FakeSystem) -> None:
    serve_datasets(system, FakeUploads(system), BROKEN)
    with pytest.raises(LocalError, match="Found 1 error"):
        make_dataset(client, make_console(), "f-1")


def test_the_last_line_tells_of_the_adapter_and_the_adapter_is_there(
    client: ApiClient, system: FakeSystem, tmp_path: Path
) -> None:
    serve_datasets(system, FakeUploads(system))
    serve_training(system, RUNNING, COMPLETED)
    summary = train_an_adapter(client, make_console(), DATASET, tmp_path)
    assert summary == {
        "training_job_id": JOB,
        "base_model": "brightrun-tiny",
        "first_loss": 6.0,
        "final_loss": pytest.approx(4.801),
        "adapter_path": str((tmp_path / "adapters" / JOB).resolve()),
        "estimated_seconds": 18.0,
        "actual_seconds": 20,
    }
    assert (Path(summary["adapter_path"]) / "adapter_model.safetensors").read_bytes() == b"weights"
    assert system.sent("POST", "/api/jobs")[0].body["allow_simulated"] is True


def test_a_failed_training_ends_the_demo_with_its_cause(
    client: ApiClient, system: FakeSystem, tmp_path: Path
) -> None:
    serve_datasets(system, FakeUploads(system))
    serve_training(system, FAILED)
    with pytest.raises(LocalError, match="CUDA out of memory"):
        train_an_adapter(client, make_console(), DATASET, tmp_path)
