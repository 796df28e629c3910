"""The entry point as a subprocess: exit codes, signals, resuming, several processes."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from tests.training.jobs import (
    dataset_rows,
    failure,
    finish,
    read_results,
    start,
    train_here,
    wait_for_line,
    write_hosts,
    write_job,
    write_rows,
)

pytestmark = pytest.mark.slow

DROPOUT = {"epochs": "8", "dropout": "0.05", "early_stopping_patience": "0"}
"""Long enough to be interrupted, with dropout, so that a resumed run must draw the same."""


def adapter(root: Path) -> bytes:
    return (root / "model" / "adapter_model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def uninterrupted(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that interrupted ones must equal."""
    root = write_job(tmp_path_factory.mktemp("whole") / "job", tiny_model, DROPOUT)
    train_here(root)
    return root


def test_run_from_the_entry_point_ends_with_0_and_an_adapter(
    tiny_model: Path, tmp_path: Path
) -> None:
    root = write_job(tmp_path, tiny_model, {"epochs": "1"})
    code, output = finish(start(root))
    assert code == 0, output
    assert "kind=stage stage=done status=completed" in output
    assert read_results(root)["status"] == "completed"
    assert not (root / "output" / "failure").exists()


def test_sigterm_saves_and_the_restarted_job_ends_like_one_never_stopped(
    tiny_model: Path, tmp_path: Path, uninterrupted: Path
) -> None:
    root = write_job(tmp_path, tiny_model, DROPOUT)
    process = start(root)
    wait_for_line(process, "kind=step step=6 ")
    process.send_signal(signal.SIGTERM)
    code, output = finish(process)
    assert code == 0, output
    stopped = read_results(root)
    assert (stopped["status"], stopped["stopped_because"]) == ("stopped", "signal")
    assert 6 <= stopped["steps"] < stopped["total_steps"]
    assert (root / "model" / "manifest.json").is_file()

    code, output = finish(start(root))
    assert code == 0, output
    resumed = read_results(root)
    assert resumed["resumed_from_step"] == stopped["steps"]
    assert resumed["losses"] == read_results(uninterrupted)["losses"]
    assert resumed["evaluations"] == read_results(uninterrupted)["evaluations"]
    assert adapter(root) == adapter(uninterrupted)


def test_sigkill_loses_at_most_the_steps_since_the_last_checkpoint(
    tiny_model: Path, tmp_path: Path, uninterrupted: Path
) -> None:
    root = write_job(tmp_path, tiny_model, DROPOUT)
    process = start(root)
    wait_for_line(process, "kind=step step=6 ")
    for pid in (*_children(process.pid), process.pid):
        os.kill(pid, signal.SIGKILL)
    assert finish(process)[0] == -signal.SIGKILL
    assert not (root / "model" / "results.json").exists()

    resumed = train_here(root)
    assert resumed["resumed_from_step"] >= 4
    assert resumed["resumed_from_step"] % 4 == 0
    assert resumed["losses"] == read_results(uninterrupted)["losses"]
    assert adapter(root) == adapter(uninterrupted)


def test_two_processes_train_like_one(tiny_model: Path, tmp_path: Path) -> None:
    one = train_here(write_job(tmp_path / "one", tiny_model, {"epochs": "1"}))
    root = write_job(tmp_path / "two", tiny_model, {"epochs": "1"})
    code, output = finish(start(root, processes=2))
    assert code == 0, output
    two = read_results(root)
    assert two["facts"]["processes"] == 2
    assert two["losses"] == pytest.approx(one["losses"], abs=2e-6)
    assert two["best_validation_loss"] == pytest.approx(one["best_validation_loss"], abs=2e-6)


def test_two_hosts_train_like_one_and_the_first_publishes(tiny_model: Path, tmp_path: Path) -> None:
    one = train_here(write_job(tmp_path / "one", tiny_model, {"epochs": "1"}))
    hosts = ["127.0.0.1", "localhost"]
    roots = [write_job(tmp_path / host, tiny_model, {"epochs": "1"}) for host in hosts]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    started = []
    for root, host in zip(roots, hosts, strict=True):
        write_hosts(root, hosts, host)
        started.append(start(root, MASTER_PORT=port))
    for process in started:
        code, output = finish(process)
        assert code == 0, output
    assert read_results(roots[0])["losses"] == pytest.approx(one["losses"], abs=2e-6)
    assert list((roots[1] / "model").iterdir()) == []


def test_bad_dataset_ends_with_2_and_its_cause_until_the_next_attempt(
    tiny_model: Path, tmp_path: Path
) -> None:
    rows = dataset_rows(1)
    del rows[1]["conversation_id"]
    root = write_job(tmp_path, tiny_model, rows=rows)
    code, output = finish(start(root))
    assert code == 2, output
    assert failure(root).startswith(
        "DatasetError: 1 of 3 rows cannot be trained on (missing_field 1)"
    )
    assert "train.jsonl, line 3: " in failure(root)
    assert "Missing conversation_id" in failure(root)

    write_rows(root / "input" / "data" / "training" / "train.jsonl", dataset_rows(6))
    code, output = finish(start(root))
    assert code == 0, output
    assert not (root / "output" / "failure").exists()


def test_another_file_than_the_validated_one_ends_with_2(tiny_model: Path, tmp_path: Path) -> None:
    root = write_job(tmp_path, tiny_model, {"dataset_sha256": "0" * 64})
    code, output = finish(start(root))
    assert code == 2, output
    assert failure(root).startswith("DatasetError: train.jsonl is not the dataset that was")


def test_killed_process_is_the_cause_and_not_its_peers_broken_connections(
    tiny_model: Path, tmp_path: Path
) -> None:
    root = write_job(tmp_path, tiny_model, {"epochs": "50", "early_stopping_patience": "0"})
    process = start(root, processes=2)
    wait_for_line(process, "kind=step step=2 ")
    second = next(pid for pid in _children(process.pid) if _rank(pid) == "1")
    os.kill(second, signal.SIGKILL)
    code, output = finish(process)
    assert code == 128 + signal.SIGKILL, output
    assert failure(root) == "WorkerKilled: process 1 ended with SIGKILL; out of host memory?"


def test_stop_during_set_up_ends_with_143_and_no_adapter(tiny_model: Path, tmp_path: Path) -> None:
    root = write_job(tmp_path, tiny_model)
    process = start(root)
    wait_for_line(process, "kind=stage stage=loading")
    process.send_signal(signal.SIGTERM)
    code, output = finish(process)
    assert code == 143, output
    assert failure(root).startswith("StoppedBeforeFirstStepError: ")
    assert not (root / "model" / "manifest.json").exists()


def _children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _rank(pid: int) -> str:
    variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return next(v.removeprefix(b"RANK=").decode() for v in variables if v.startswith(b"RANK="))
