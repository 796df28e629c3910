"""Complete runs in this process: losses, results, and the errors of runs that fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from brightrun.sft.errors import DatasetError, ModelError
from tests.training.attention_kernel import kernel_stand_in
from tests.training.jobs import dataset_rows, train_here, write_job
from training_container.trainer import attention, fit, loss, model, step
from training_container.trainer.errors import ConfigError, DivergedError

RunJob = Callable[..., dict[str, Any]]


def test_a_run_learns(run_job: RunJob) -> None:
    results = run_job()
    assert results["status"] == "completed"
    assert results["steps"] == results["total_steps"] == len(results["losses"])
    assert results["final_loss"] < 0.9 * results["first_loss"]
    assert results["best_validation_loss"] < results["base_validation_loss"]


def test_results_count_what_was_trained(run_job: RunJob) -> None:
    rows = dataset_rows()
    results = run_job(rows=rows)
    dataset = results["dataset"]
    assert dataset["train_pairs"] + dataset["validation_pairs"] == len(rows)
    assert results["tokens"] == 2 * dataset["tokens_per_epoch"]
    assert results["target_tokens"] == 2 * dataset["target_tokens_per_epoch"]
    assert results["flops_per_token"] > 0
    assert results["estimated_cost_usd"] is None


def test_run_over_the_gpu_attention_path_has_the_same_losses(
    run_job: RunJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = run_job("usual", epochs="1")["losses"]
    monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", kernel_stand_in())
    monkeypatch.setattr(attention, "attention_for", _varlen)
    assert run_job("varlen", epochs="1")["losses"] == pytest.approx(usual, abs=2e-5)


def test_run_in_bf16_learns_like_one_in_fp32(
    run_job: RunJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = run_job("usual")["losses"]
    monkeypatch.setattr(model, "compute_dtype", lambda _: torch.bfloat16)
    assert run_job("bf16")["losses"] == pytest.approx(usual, rel=0.02)


def test_gpu_figures_that_the_driver_does_not_report_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def silent(*_: Any) -> int:
        raise ModuleNotFoundError("pynvml")

    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: 3 * 2**30)
    monkeypatch.setattr(torch.cuda, "utilization", silent)
    assert fit.gpu_use(torch.device("cuda", 0)) == {"gpu_peak_gib": 3.0}
    assert fit.gpu_use(torch.device("cpu")) == {}


@pytest.mark.parametrize(
    "setting",
    [{"tokens_per_microbatch": "300"}, {"gradient_checkpointing": "on"}],
    ids=lambda setting: next(iter(setting)),
)
def test_settings_of_memory_do_not_change_the_losses(
    run_job: RunJob, setting: dict[str, str]
) -> None:
    usual = run_job("usual", epochs="1")["losses"]
    assert run_job("other", epochs="1", **setting)["losses"] == pytest.approx(usual, abs=2e-5)


def test_same_seed_same_losses_and_another_seed_others(run_job: RunJob) -> None:
    first, again, other = (
        run_job(name, epochs="1", dropout="0.1", seed=seed)["losses"]
        for name, seed in (("a", "1"), ("b", "1"), ("c", "2"))
    )
    assert first == again != other


def test_rank_stabilised_lora_scales_by_the_root_of_the_rank(
    run_job: RunJob, tmp_path: Path
) -> None:
    run_job(method="rslora", epochs="1")
    settings = json.loads((tmp_path / "job/model/adapter_config.json").read_bytes())
    assert settings["use_rslora"] is True


def test_qlora_without_a_gpu_says_what_it_needs(run_job: RunJob) -> None:
    with pytest.raises(ConfigError, match="needs a CUDA GPU and the bitsandbytes package"):
        run_job(method="qlora")


def test_dataset_without_a_trainable_row_fails_before_the_model_is_loaded(
    run_job: RunJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loaded(*_: Any) -> None:
        raise AssertionError("the model was loaded")

    monkeypatch.setattr("training_container.trainer.model.build_model", loaded)
    rows = [{**row, "target_response": None} for row in dataset_rows(3)]
    with pytest.raises(DatasetError, match="no trainable pair"):
        run_job(rows=rows)


def test_job_without_a_base_model_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    root = write_job(tmp_path, tiny_model)
    (root / "input" / "data" / "model").unlink()
    with pytest.raises(ConfigError, match="no base model"):
        train_here(root)


def test_folder_that_holds_no_model_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ModelError, match="no tokenizer can be loaded"):
        train_here(write_job(tmp_path / "job", empty))


@pytest.mark.parametrize(
    "modules",
    [
        "nowhere",
        "lm_head",
        "q_proj,lm_head",
        "embed_tokens",
        "Q_PROJ",
        "all",
        ".*",
        ".*proj",
        "",
        ",",
    ],
)
def test_modules_that_vllm_does_not_adapt_are_refused_before_anything_is_loaded(
    run_job: RunJob, monkeypatch: pytest.MonkeyPatch, modules: str
) -> None:
    monkeypatch.setattr("training_container.trainer.job.load_tokenizer", _never)
    with pytest.raises(ConfigError, match=r"vLLM adapts no module named .*; name target_modules"):
        run_job(target_modules=modules)


def test_modules_that_the_base_model_lacks_are_refused(run_job: RunJob) -> None:
    with pytest.raises(ModelError, match="'qkv_proj' cannot be adapted"):
        run_job(target_modules="qkv_proj")


@pytest.mark.parametrize("unfrozen", [False, True])
def test_what_vllm_does_not_serve_is_refused_as_soon_as_the_adapter_is_attached(
    tiny_model: Path, run_job: RunJob, monkeypatch: pytest.MonkeyPatch, unfrozen: bool
) -> None:
    """PEFT's all-linear takes a router as well; another version might unfreeze the output layer."""
    import peft
    from transformers import AutoModelForCausalLM

    real_load, real_peft = AutoModelForCausalLM.from_pretrained, peft.get_peft_model

    def with_a_router(*args: Any, **kwargs: Any) -> Any:
        base = real_load(*args, **kwargs)
        if not unfrozen:
            base.model.layers[0].mlp.router = torch.nn.Linear(8, 8)
        return base

    def unfreezing(base: Any, *args: Any, **kwargs: Any) -> Any:
        adapted = real_peft(base, *args, **kwargs)
        if unfrozen:
            base.lm_head.weight.requires_grad_(True)
        return adapted

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", with_a_router)
    monkeypatch.setattr(peft, "get_peft_model", unfreezing)
    monkeypatch.setattr("training_container.trainer.fit.Fit.run", _never)
    with pytest.raises(
        ModelError, match="lm_head.* trained beside" if unfrozen else "named router"
    ):
        run_job()


def _never(*_: Any) -> None:
    raise AssertionError("too late")


def test_diverging_run_stops_with_advice(run_job: RunJob, monkeypatch: pytest.MonkeyPatch) -> None:
    real = loss.summed_nll
    monkeypatch.setattr(step, "summed_nll", lambda *a: real(*a) * float("nan"))
    with pytest.raises(DivergedError, match="lower learning_rate"):
        run_job()


def test_full_gpu_halves_the_microbatch_and_repeats_the_step(
    run_job: RunJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = run_job("usual", epochs="1")["losses"]
    real = loss.summed_nll

    def small_gpu(adapted: Any, batch: Any) -> torch.Tensor:
        if batch.ids.shape[1] > 500:
            raise torch.OutOfMemoryError("scripted")
        return real(adapted, batch)

    monkeypatch.setattr(step, "summed_nll", small_gpu)
    results = run_job("full", epochs="1")
    assert results["losses"] == pytest.approx(usual, abs=2e-5)
    assert results["facts"]["tokens_per_microbatch"] <= 500


def test_sequence_that_fits_no_gpu_is_named(
    run_job: RunJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_gpu(*_: Any) -> torch.Tensor:
        raise torch.OutOfMemoryError("scripted")

    monkeypatch.setattr(step, "summed_nll", no_gpu)
    with pytest.raises(ModelError, match=r"one sequence of \d+ tokens does not fit"):
        run_job()


def _varlen(_: torch.device) -> str:
    attention.register_varlen()
    return attention.NAME
