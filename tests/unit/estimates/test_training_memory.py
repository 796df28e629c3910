"""The estimate's memory plan is the trainer's."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Literal

import pytest

from brightrun.catalog.base_models import BaseModelEntry, base_model, base_models
from brightrun.catalog.gpu_instances import gpu_type
from brightrun.catalog.presets import PRESETS
from brightrun.estimates.memory import GIB, adapter_parameters, microbatch, plan_memory
from training_container.trainer import memory

PLAIN = replace(PRESETS["balanced"], dropout=0.0)


@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.parametrize("free_gib", [1, 9, 25, 64, 130])
@pytest.mark.parametrize("model", base_models(), ids=lambda model: model.key)
def test_the_micro_batch_is_the_one_that_the_trainer_plans(
    model: BaseModelEntry, free_gib: int, dropout: bool
) -> None:
    architecture = SimpleNamespace(
        hidden_size=model.hidden,
        intermediate_size=model.intermediate,
        num_hidden_layers=model.layers,
    )
    planned = memory.plan_microbatch(
        free_gib * GIB, architecture, dropout=dropout, recompute="auto"
    )
    tokens, recompute, _ = microbatch(model, free_gib * GIB, dropout=dropout)
    assert (tokens, recompute) == (planned.tokens, planned.recompute)


def test_an_adapter_of_rank_16_on_8_billion_has_42_million_weights() -> None:
    assert adapter_parameters(base_model("llama-3.1-8b-instruct"), 16) == 41_943_040


def test_an_8b_keeps_its_activations_on_80_gb_and_computes_them_twice_on_40() -> None:
    model = base_model("llama-3.1-8b-instruct")
    roomy, tight = (plan_memory(model, gpu_type(name), PLAIN) for name in ("H100", "A100-40GB"))
    assert (roomy.fits, roomy.gradient_checkpointing) == (True, False)
    assert (tight.fits, tight.gradient_checkpointing) == (True, True)
    assert 9_000 < roomy.tokens_per_microbatch < 10_000


def test_a_70b_fits_80_gb_in_4_bits_only() -> None:
    model, gpu = base_model("llama-3.3-70b-instruct"), gpu_type("H100")
    whole = plan_memory(model, gpu, PLAIN)
    assert not whole.fits
    assert whole.advice is not None
    assert "qlora" in whole.advice
    assert plan_memory(model, gpu, replace(PLAIN, method="qlora")).fits


def test_advice_for_a_sequence_that_is_too_long_names_the_longest_that_fits() -> None:
    model, gpu = base_model("qwen2.5-32b-instruct"), gpu_type("H100")
    plan = plan_memory(model, gpu, replace(PLAIN, max_seq_length=32_768))
    assert plan.advice is not None
    assert f"max_seq_length to {plan.longest_trainable} or less" in plan.advice
    shorter = replace(PLAIN, max_seq_length=plan.longest_trainable)
    assert plan_memory(model, gpu, shorter).fits


def test_where_not_even_4_bits_fit_a_smaller_model_is_advised() -> None:
    plan = plan_memory(
        base_model("llama-3.3-70b-instruct"), gpu_type("V100-32GB"), replace(PLAIN, method="qlora")
    )
    assert plan.advice is not None
    assert plan.advice.endswith("choose a GPU with more memory, or a smaller model.")


def test_a_processor_takes_the_trainers_micro_batches() -> None:
    plan = plan_memory(base_model("brightrun-tiny"), gpu_type("local-cpu"), PLAIN)
    assert (plan.fits, plan.tokens_per_microbatch) == (True, memory.CPU_TOKENS)


@pytest.mark.parametrize(
    ("model", "gpu", "method", "fits"),
    [
        ("llama-3.1-8b-instruct", "A10G", "lora", False),
        ("llama-3.1-8b-instruct", "A10G", "qlora", True),
        ("llama-3.1-8b-instruct", "L40S", "lora", True),
        ("qwen2.5-1.5b-instruct", "L4", "lora", True),
        ("qwen2.5-32b-instruct", "L40S", "qlora", True),
        ("llama-3.3-70b-instruct", "L40S", "qlora", False),
    ],
)
def test_small_gpus_take_small_models_and_an_8b_in_four_bits(
    model: str, gpu: str, method: Literal["lora", "qlora"], fits: bool
) -> None:
    hyper = replace(PRESETS["balanced"], method=method)
    assert plan_memory(base_model(model), gpu_type(gpu), hyper).fits is fits
