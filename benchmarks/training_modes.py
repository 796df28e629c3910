"""One benchmark run: a randomly initialised model, trained by this trainer or by TRL."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.training_cases import conversations, describe, table
from benchmarks.training_timing import WARM_UP, Measured, measured_peak, now, peak_memory
from benchmarks.training_trl import train_with_trl
from brightrun.sft.packing import arrange, plan_steps
from brightrun.sft.templates import Example
from brightrun.sft.verdict import mean_loss
from training_container.trainer.attention import attention_for
from training_container.trainer.config import RunConfig, run_config
from training_container.trainer.evaluate import example_losses
from training_container.trainer.memory import CPU_TOKENS, plan_microbatch
from training_container.trainer.model import (
    attach_adapter,
    enable_checkpointing,
    trained_parameters,
)
from training_container.trainer.optimizer import AdapterOptimizer
from training_container.trainer.step import Trainer
from training_container.trainer.throughput import flops_per_token
from training_container.trainer.workers import Workers

SIZES: dict[str, dict[str, int]] = {
    "tiny": {
        "hidden_size": 96, "intermediate_size": 264, "num_hidden_layers": 3,
        "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 2048,
    },
    "8b": {
        "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256,
    },
}  # fmt: skip
"""Llama-shaped models; 8b has the shape of Llama 3.1 8B."""

MODES = (
    "ours", "ours_unmerged", "ours_recomputing", "ours_compiled", "trl_default", "trl_packed",
)  # fmt: skip
HELD_OUT_PAIRS = 24
LEARNING_RATE = 2e-4
MARK = "RESULT "


def run_mode(mode: str, options: argparse.Namespace) -> dict[str, Any]:
    """Train `options.steps` timed steps in this process and measure them."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    shape = SIZES[options.size]
    examples = conversations(options.pairs, shape["vocab_size"], scale=options.scale)
    held_out, train = examples[:HELD_OUT_PAIRS], examples[HELD_OUT_PAIRS:]
    base = _random_model(
        shape, attention_for(device) if mode.startswith("ours") else "sdpa", device
    )
    workers = Workers(0, 1, device)
    config = run_config(
        {"batch_size": options.batch, "learning_rate": LEARNING_RATE, "schedule": "constant"}
    )
    if mode.startswith("trl"):
        packed = mode == "trl_packed"
        measured, model = train_with_trl(base, train, config, options.steps, device, packed=packed)
        learned: Sequence[Example] = train
    else:
        measured, model, learned = _ours(mode, base, train, workers, config, options)
    tokens, pairs = sum(measured.tokens), sum(measured.pairs)
    seconds = sum(measured.seconds)
    per_token = flops_per_token(model, learned, recompute=False)
    targets = sum(example.targets() for example in held_out)
    after = mean_loss(example_losses(model, held_out, workers, CPU_TOKENS), targets)
    with model.disable_adapter():
        before = mean_loss(example_losses(model, held_out, workers, CPU_TOKENS), targets)
    return {
        "mode": mode,
        "pairs_per_second": pairs / seconds,
        "tokens_per_second": tokens / seconds,
        "flops_per_second": per_token * tokens / seconds,
        "seconds_per_step": statistics.median(measured.seconds),
        "pairs_per_step": pairs / len(measured.pairs),
        "peak_memory_gib": peak_memory(device),
        "loss_before": before,
        "loss_after": after,
        "steps": len(measured.seconds) + WARM_UP,
        "data": describe(learned),
        "torch": torch.__version__,
    }


def _random_model(shape: dict[str, int], attention: str, device: torch.device) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    further: dict[str, Any] = {"max_position_embeddings": 16384, "attn_implementation": attention}
    settings = LlamaConfig(**{**shape, **further})
    torch.manual_seed(0)
    torch.set_default_dtype(dtype)
    try:
        with device:
            return LlamaForCausalLM(settings)
    finally:
        torch.set_default_dtype(torch.float32)


def _ours(
    mode: str,
    base: Any,
    train: Sequence[Example],
    workers: Workers,
    config: RunConfig,
    options: argparse.Namespace,
) -> tuple[Measured, Any, Sequence[Example]]:
    model = attach_adapter(base, config, {"pretrained_model_name_or_path": options.size})
    recompute = "on" if mode == "ours_recomputing" else "off"
    if recompute == "on":
        enable_checkpointing(model)
    if mode == "ours_compiled":
        for layer in base.get_decoder().layers:
            layer.compile(dynamic=True)
    limit = options.tokens_per_microbatch or CPU_TOKENS
    if workers.device.type == "cuda" and not options.tokens_per_microbatch:
        free, _ = torch.cuda.mem_get_info()
        limit = plan_microbatch(free, base.config, dropout=False, recompute=recompute).tokens
    optimizer = AdapterOptimizer(list(trained_parameters(model).values()), config)
    trainer = Trainer(model, optimizer, workers, limit, config.seed)
    merge = "off" if mode == "ours_unmerged" else "auto"
    examples = arrange(train, merge, config.batch_size)
    measured = Measured()
    for number, step in enumerate(plan_steps(examples, config.batch_size, 1, 0, 1)):
        if number == options.steps + WARM_UP:
            break
        began = now(workers.device)
        trainer.train_step(step, number, examples, LEARNING_RATE)
        if number >= WARM_UP:
            measured.seconds.append(now(workers.device) - began)
            measured.tokens.append(sum(len(examples[i].ids) for i in step.indexes))
            measured.pairs.append(sum(examples[i].pairs for i in step.indexes))
    return measured, model, examples


def parser(description: str, **defaults: Any) -> argparse.ArgumentParser:
    """The options that both benchmarks share."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--size", choices=SIZES)
    options.add_argument("--modes", default=",".join(MODES), help="comma-separated")
    options.add_argument("--steps", type=int, help="timed steps, after two to warm up")
    options.add_argument("--pairs", type=int)
    options.add_argument("--batch", type=int, help="pairs per step")
    options.add_argument("--scale", type=float, help="length of every turn, 1.0 = as in real data")
    options.add_argument("--tokens-per-microbatch", type=int, default=0)
    options.add_argument("--out", type=Path, help="where to write the figures as JSON")
    options.add_argument("--only", help=argparse.SUPPRESS)
    options.set_defaults(**defaults)
    return options


def compare(script: str, options: argparse.Namespace) -> int:
    """Run every mode in a process of its own, so that memory is clean; print and write figures."""
    if options.only:
        print(MARK + json.dumps(run_mode(options.only, options)))
        return 0
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    peak = measured_peak(device)
    name = torch.cuda.get_device_name() if device.type == "cuda" else "cpu"
    print(f"{name}: {peak / 1e12:.2f} TFLOP/s measured", flush=True)
    results = []
    for mode in options.modes.split(","):
        result = _in_a_process(script, mode)
        if "flops_per_second" in result:
            result["share_of_measured_peak"] = result["flops_per_second"] / peak
        results.append(result)
        print(json.dumps(result), flush=True)
    print(table(results))
    if options.out:
        figures = {"device": name, "measured_peak_flops": peak, "results": results}
        options.out.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return int(any("error" in result for result in results))


def _in_a_process(script: str, mode: str) -> dict[str, Any]:
    command = [sys.executable, "-W", "ignore", "-m", script, *sys.argv[1:], "--only", mode]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if not lines:
        return {"mode": mode, "error": done.stderr.strip().splitlines()[-1][:300]}
    result: dict[str, Any] = json.loads(lines[-1].removeprefix(MARK))
    return result
