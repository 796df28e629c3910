"""Every run measures its adapter against its base on held-out rows, and says what came out."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from brightrun.sft.errors import ModelError
from tests.training.jobs import (
    SMALL,
    finish,
    read_results,
    script_held_out,
    start,
    train_here,
    wait_for_line,
    write_job,
)
from training_container.trainer import evaluate, loss

MANY = {"validation_fraction": "0.3"}
"""Holds out four conversations, of which one alone would give no interval."""

RunJob = Callable[..., dict[str, Any]]


def test_a_run_that_learns_is_better_than_its_base_by_a_known_interval(run_job: RunJob) -> None:
    results = run_job(**MANY)
    held_out, verdict = results["held_out"], results["verdict"]
    assert held_out["base_loss"] == results["base_validation_loss"]
    assert held_out["adapter_loss"] == results["best_validation_loss"]
    assert held_out["difference_low"] < held_out["difference"] < held_out["difference_high"] < 0
    assert held_out["pairs"] == results["dataset"]["validation_pairs"]
    assert held_out["conversations"] == 4
    assert verdict["outcome"] == "better"
    assert verdict["score"] >= 3


def test_a_run_that_diverges_is_called_worse_than_its_base(run_job: RunJob) -> None:
    results = run_job(epochs="1", learning_rate="0.1", schedule="constant", max_grad_norm="100")
    assert results["held_out"]["adapter_loss"] > results["held_out"]["base_loss"]
    assert results["verdict"]["headline"].startswith("Worse than its base: ")
    assert results["verdict"]["score"] <= 2


def test_a_model_that_knows_nothing_is_not_praised_for_learning_a_little(
    tiny_model: Path, tmp_path: Path
) -> None:
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(3)
    random = tmp_path / "random"
    AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(tiny_model)).save_pretrained(random)
    AutoTokenizer.from_pretrained(tiny_model).save_pretrained(random)
    results = train_here(write_job(tmp_path / "job", random, {"learning_rate": "1e-3", **MANY}))
    assert results["held_out"]["adapter_loss"] > math.log(20)
    assert results["verdict"]["score"] <= 2
    assert results["verdict"]["quality"] == "poor"


def test_nothing_held_out_is_no_score(run_job: RunJob) -> None:
    results = run_job(epochs="1", validation_fraction="0")
    assert results["evaluations"] == []
    assert results["held_out"]["unmeasured"] == "no_held_out_rows"
    assert results["verdict"]["score"] is None
    assert results["verdict"]["headline"] == "Not measured: no held-out rows."


def test_the_weights_compared_are_the_published_ones(
    run_job: RunJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    script_held_out(monkeypatch, [1.087, 3.897, 5.0])
    results = run_job(epochs="2")
    assert results["published_step"] == results["evaluations"][1]["step"]
    assert results["held_out"]["adapter_loss"] == pytest.approx(3.897)
    assert results["verdict"]["outcome"] == "worse"
    assert results["verdict"]["score"] == 1


def test_a_loss_that_is_no_number_is_never_the_best_and_never_in_the_files(
    run_job: RunJob, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script_held_out(monkeypatch, [3.0, math.nan, 2.0, math.inf])
    results = run_job(epochs="3")
    assert [one["loss"] for one in results["evaluations"]] == [3.0, None, 2.0, None]
    assert results["published_step"] == results["evaluations"][2]["step"]
    assert results["held_out"]["adapter_loss"] == pytest.approx(2.0)
    for file in (tmp_path / "job").rglob("*.json*"):
        assert not {"NaN", "Infinity"} & set(file.read_text("utf-8").replace(",", " ").split())


def test_a_run_that_never_has_a_finite_loss_is_the_worst(
    run_job: RunJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    script_held_out(monkeypatch, [3.0, math.nan, math.nan])
    results = run_job(epochs="2", early_stopping_patience="0")
    assert results["published_step"] == results["steps"]
    assert results["held_out"]["unmeasured"] == "not_finite"
    assert (results["verdict"]["outcome"], results["verdict"]["score"]) == ("worse", 1)


def test_a_resumed_run_with_a_loss_that_is_no_number_goes_on(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_job(tmp_path / "job", tiny_model, {"epochs": "1"})
    script_held_out(monkeypatch, [3.0, math.nan])
    first = train_here(root)
    assert train_here(root)["verdict"] == first["verdict"]


def test_a_run_that_is_killed_compares_with_the_base_it_measured_before(
    tiny_model: Path, tmp_path: Path
) -> None:
    whole = train_here(write_job(tmp_path / "whole", tiny_model))
    root = write_job(tmp_path / "killed", tiny_model)
    process = start(root)
    wait_for_line(process, "kind=step step=9 ")
    process.kill()
    finish(process)
    code, output = finish(start(root))
    assert code == 0, output
    resumed = read_results(root)
    assert resumed["resumed_from_step"] >= 4
    assert resumed["held_out"] == whole["held_out"]
    assert resumed["verdict"] == whole["verdict"]


def test_weights_that_were_stopped_before_an_evaluation_have_no_verdict(
    tiny_model: Path, tmp_path: Path
) -> None:
    root = write_job(tmp_path / "stopped", tiny_model, {"epochs": "8"})
    process = start(root)
    wait_for_line(process, "kind=step step=4 ")
    process.terminate()
    code, output = finish(process)
    assert code == 0, output
    results = read_results(root)
    assert results["status"] == "stopped"
    assert results["held_out"]["base_loss"] == pytest.approx(results["evaluations"][0]["loss"])
    if results["evaluations"][-1]["step"] != results["steps"]:
        assert results["held_out"]["unmeasured"] == "not_evaluated"
        assert results["verdict"]["score"] is None


def test_an_evaluation_that_fills_the_gpu_halves_the_microbatch_and_measures_the_same(
    run_job: RunJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = run_job("usual", epochs="1", **MANY)
    real = loss.target_nlls

    def small_gpu(adapted: Any, batch: Any) -> torch.Tensor:
        if batch.ids.shape[1] > 500:
            raise torch.OutOfMemoryError("scripted")
        return real(adapted, batch)

    monkeypatch.setattr(evaluate, "target_nlls", small_gpu)
    full = run_job("full", epochs="1", **MANY)
    assert full["facts"]["tokens_per_microbatch"] <= 500 < int(SMALL["tokens_per_microbatch"])
    assert full["losses"] == pytest.approx(usual["losses"], abs=2e-5)
    for figure in ("base_loss", "adapter_loss", "difference_low", "difference_high"):
        assert full["held_out"][figure] == pytest.approx(usual["held_out"][figure], abs=2e-5)


def test_a_held_out_sequence_that_fits_no_gpu_is_named(
    run_job: RunJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_gpu(*_: Any) -> torch.Tensor:
        raise torch.OutOfMemoryError("scripted")

    monkeypatch.setattr(evaluate, "target_nlls", no_gpu)
    with pytest.raises(ModelError, match=r"one sequence of \d+ tokens does not fit"):
        run_job()
