"""Reasons to stop, the weights that are published then, and resuming from checkpoints."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.jobs import (
    SMALL,
    finish,
    read_results,
    script_held_out,
    start,
    train_here,
    write_job,
)
from training_container.trainer import checkpoint, step
from training_container.trainer.config import run_config
from training_container.trainer.errors import (
    BudgetError,
    CheckpointError,
    StoppedBeforeFirstStepError,
)
from training_container.trainer.stopping import Budget, EarlyStopping, StopSignal

RunJob = Callable[..., dict[str, Any]]


def test_run_without_progress_ends_early_with_its_best_weights(
    run_job: RunJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    script_held_out(monkeypatch, [3.0, 2.0, 2.5, 2.6, 1.0])
    results = run_job(epochs="4", early_stopping_patience="2")
    assert results["stopped_because"] == "no_improvement"
    assert [e["loss"] for e in results["evaluations"]] == [3.0, 2.0, 2.5, 2.6]
    assert results["published_step"] == results["evaluations"][1]["step"]
    assert results["best_validation_loss"] == 2.0
    assert results["base_validation_loss"] == 3.0


def test_run_without_progress_ends_within_an_epoch_that_is_not_the_last(
    run_job: RunJob, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = {"epochs": "3", "batch_size": "2", "evaluations_per_epoch": "0"}
    script_held_out(monkeypatch, [3.0, 2.0, 2.5, 2.6])
    results = run_job(**settings)
    assert results["stopped_because"] == "no_improvement"
    assert results["epochs_completed"] == pytest.approx(1.5, abs=0.1)
    assert results["published_step"] == results["evaluations"][1]["step"] < results["steps"]
    assert results["steps"] == results["evaluations"][-1]["step"] < results["total_steps"]
    again = train_here(tmp_path / "job")
    assert (again["steps"], again["verdict"]) == (results["steps"], results["verdict"])


def test_patience_of_zero_trains_to_the_end(
    run_job: RunJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    script_held_out(monkeypatch, [1.0] + [2.0] * 12)
    results = run_job(evaluations_per_epoch="3", early_stopping_patience="0")
    assert results["stopped_because"] == "finished"
    assert len(results["evaluations"]) == 1 + 2 * 3


def test_weights_of_the_best_evaluation_are_the_ones_published(
    run_job: RunJob, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    run_job("short", epochs="1", schedule="constant")
    script_held_out(monkeypatch, [3.0, 1.0, 2.0])
    run_job("long", epochs="2", schedule="constant")
    short, long = (
        load_file(tmp_path / name / "model" / "adapter_model.safetensors")
        for name in ("short", "long")
    )
    assert all(torch.equal(short[name], long[name]) for name in short)


def test_early_stopping_needs_patience_and_a_real_improvement() -> None:
    patient = EarlyStopping(run_config({"early_stopping_patience": 2}))
    assert not patient.is_due([2.0, 2.1])
    assert patient.is_due([2.0, 2.1, 2.2])
    assert not patient.is_due([2.0, 2.1, 1.9])
    strict = EarlyStopping(
        run_config({"early_stopping_patience": 1, "early_stopping_min_delta": 0.1})
    )
    assert strict.is_due([2.0, 1.95])
    assert patient.is_due([2.0, math.inf, math.inf])
    assert patient.is_due([math.inf, math.inf, math.inf])
    assert not patient.is_due([math.inf, math.inf, 5.0])
    never = EarlyStopping(run_config({"early_stopping_patience": 0}))
    assert not never.is_due([1.0, 2.0, 3.0, 4.0])


def test_budget_ends_training_in_time_and_still_yields_an_adapter(
    run_job: RunJob, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock = _ticking(monkeypatch, seconds_per_step=100.0)
    results = run_job(max_cost_usd="1", price_usd_per_hour="3.6", finish_reserve_seconds="150")
    assert results["stopped_because"] == "budget"
    assert results["status"] == "completed"
    # 1000 s allowed: after the 8th step of 100 s, another would leave less than 150 s.
    assert results["steps"] == 8
    assert results["evaluations"][-1]["step"] == 8
    assert results["estimated_cost_usd"] == pytest.approx(clock() / 1000, abs=0.01)
    assert (tmp_path / "job/model/adapter_model.safetensors").is_file()


def test_budget_too_small_for_one_step_is_an_error(
    run_job: RunJob,
) -> None:
    with pytest.raises(BudgetError, match=r"60 s are kept for saving, of 30 s allowed"):
        run_job(max_seconds="30")


def test_budget_counts_earlier_attempts() -> None:
    budget = Budget(run_config({"max_seconds": 100, "finish_reserve_seconds": 0}), 0.0, lambda: 50)
    assert not budget.is_spent()
    budget.resume(60)
    assert budget.elapsed() == 110
    assert budget.is_spent()


def test_stop_during_set_up_leaves_nothing_and_says_so(
    run_job: RunJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StopSignal, "__init__", _already_stopped)
    with pytest.raises(StoppedBeforeFirstStepError):
        run_job()


def test_checkpoint_of_another_run_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    root = write_job(tmp_path / "job", tiny_model, {"epochs": "1"})
    train_here(root)
    path = root / "input" / "config" / "hyperparameters.json"
    path.write_text(json.dumps({**SMALL, "epochs": "1", "learning_rate": "5e-3"}), "utf-8")
    with pytest.raises(CheckpointError, match="other settings or data"):
        train_here(root)


def test_finished_run_that_restarts_trains_nothing_and_publishes_the_same(
    tiny_model: Path, tmp_path: Path
) -> None:
    root = write_job(tmp_path / "job", tiny_model, {"epochs": "1"})
    first = train_here(root)
    adapter = (root / "model" / "adapter_model.safetensors").read_bytes()
    second = train_here(root)
    assert second["resumed_from_step"] == first["steps"]
    assert second["losses"] == first["losses"]
    assert (second["held_out"], second["verdict"]) == (first["held_out"], first["verdict"])
    assert (root / "model" / "adapter_model.safetensors").read_bytes() == adapter


def test_run_goes_on_with_a_larger_budget_and_more_processes(
    tiny_model: Path, tmp_path: Path
) -> None:
    whole = train_here(write_job(tmp_path / "whole", tiny_model))
    limits = {"max_seconds": "1000", "finish_reserve_seconds": "150"}
    root = write_job(tmp_path / "parts", tiny_model, limits)
    with pytest.MonkeyPatch.context() as patch:
        _ticking(patch, seconds_per_step=100.0)
        assert train_here(root)["steps"] == 8
    (root / "input" / "config" / "hyperparameters.json").write_text(json.dumps(SMALL), "utf-8")
    code, output = finish(start(root, processes=2))
    assert code == 0, output
    results = read_results(root)
    assert results["resumed_from_step"] == 8
    assert results["losses"] == pytest.approx(whole["losses"], abs=2e-5)
    assert results["best_validation_loss"] == pytest.approx(whole["best_validation_loss"], abs=2e-5)
    for figure in ("base_loss", "adapter_loss", "difference_low", "difference_high"):
        assert results["held_out"][figure] == pytest.approx(whole["held_out"][figure], abs=2e-5)


@pytest.mark.parametrize("damage", ["half_copied", "without_marker"])
def test_damaged_checkpoint_is_skipped_for_the_one_before(tmp_path: Path, damage: str) -> None:
    tensors = {"master": torch.arange(4.0)}
    for number in (1, 2):
        newest = checkpoint.save(tmp_path, checkpoint.Progress("run", step=number), tensors)
    if damage == "half_copied":
        data = (newest / checkpoint.TENSORS).read_bytes()
        (newest / checkpoint.TENSORS).write_bytes(data[:-8])
    else:
        (newest / checkpoint.MARKER).unlink()
    found = checkpoint.latest(tmp_path, "run")
    assert found is not None
    assert found[0].step == 1


def test_only_the_two_newest_checkpoints_are_kept(tmp_path: Path) -> None:
    (tmp_path / ".partial-00000009").mkdir()
    for number in range(1, 5):
        checkpoint.save(tmp_path, checkpoint.Progress("run", step=number), {"x": torch.ones(1)})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-00000003", "step-00000004"]


def _ticking(monkeypatch: pytest.MonkeyPatch, seconds_per_step: float) -> Callable[[], float]:
    """A clock by which every optimizer step takes `seconds_per_step`."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    real = step.Trainer.train_step

    def slow(trainer: step.Trainer, *arguments: Any) -> tuple[float, float]:
        now[0] += seconds_per_step
        return real(trainer, *arguments)

    monkeypatch.setattr(step.Trainer, "train_step", slow)
    return lambda: now[0]


def _already_stopped(stop: StopSignal) -> None:
    stop.received = "SIGTERM"
