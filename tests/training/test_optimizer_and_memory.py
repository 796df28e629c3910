"""The optimizer's schedule and masters, and the plan for a GPU's memory."""

from __future__ import annotations

import pytest
import torch

from training_container.trainer.config import run_config
from training_container.trainer.memory import plan_microbatch
from training_container.trainer.optimizer import AdapterOptimizer, learning_rate_at
from training_container.trainer.workers import Workers


def test_learning_rate_warms_up_and_falls_to_zero() -> None:
    config = run_config({"learning_rate": 1e-3, "warmup_fraction": 0.1})
    rates = [learning_rate_at(step, 100, config) for step in range(100)]
    assert rates[0] == pytest.approx(1e-4)
    assert max(rates) == rates[9] == rates[10] == 1e-3
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 1e-6
    linear = run_config({"learning_rate": 1e-3, "schedule": "linear", "warmup_fraction": 0})
    assert learning_rate_at(50, 100, linear) == pytest.approx(5e-4)


def test_masters_keep_updates_that_bf16_weights_would_lose() -> None:
    weight = torch.nn.Parameter(torch.ones(4, dtype=torch.bfloat16))
    optimizer = AdapterOptimizer([weight], run_config({"learning_rate": 1e-4}))
    workers = Workers(0, 1, torch.device("cpu"))
    for _ in range(40):
        (weight.float().sum()).backward()
        optimizer.accumulate(torch.tensor(1.0))
        optimizer.step(1e-4, workers)
    assert optimizer.master.mean().item() == pytest.approx(1 - 40e-4, rel=1e-4)
    assert weight.dtype == torch.bfloat16
    assert weight[0].item() < 1


def test_memory_plan_matches_the_measured_model() -> None:
    from transformers import LlamaConfig

    llama = LlamaConfig(hidden_size=4096, intermediate_size=14336, num_hidden_layers=32)
    gib = 2**30
    h100 = plan_microbatch(64 * gib, llama, dropout=False, recompute="auto")
    assert not h100.recompute
    assert 8_500 < h100.tokens < 10_500
    a100_40 = plan_microbatch(23 * gib, llama, dropout=False, recompute="auto")
    assert a100_40.recompute
    assert a100_40.tokens > 8_192
    assert plan_microbatch(64 * gib, llama, dropout=True, recompute="off").tokens < h100.tokens
