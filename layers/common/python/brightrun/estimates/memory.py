"""Whether a run fits into a GPU's memory, and the micro-batches that the trainer will use.

The plan is the one that training_container.trainer.memory makes on the machine, but from data sheet
figures; a test holds the two equal. The trainer keeps a whole copy of the base model on every GPU:
more GPUs add speed, not room.
"""

from __future__ import annotations

from dataclasses import dataclass

from brightrun.catalog.base_models import BaseModelEntry
from brightrun.catalog.gpu_instances import GpuType
from brightrun.catalog.presets import Hyperparameters

GIB = 2**30
RESERVED_BYTES = 6 * GIB
LAYER_KIB = 197.0
LAYER_KIB_WITH_DROPOUT = 305.0
"""KiB kept per token for the backward pass by one bf16 layer of Llama-3.1-8B with LoRA on every
linear module: measured (spec: training.md 1.3)."""
LAYER_WIDTH = 6 * 4096 + 4 * 14336
LEAST_WITHOUT_RECOMPUTING = 6144
LARGEST = 32768
LEAST = 1024
CPU_TOKENS = 1024
"""These and RESERVED_BYTES are the trainer's own limits."""
BYTES_A_WEIGHT = 2.0
BYTES_A_QUANTIZED_WEIGHT = 0.52
"""bf16; and nf4 with its scales quantized too: 4 bits and 0.127 of scale (QLoRA paper, section 3).
Embedding and output layer stay bf16."""
BYTES_AN_ADAPTER_WEIGHT = 24
"""bf16 weight and gradient, fp32 master, gradient sum, two moments, and the best weights so far."""


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """What a GPU will hold, in GiB, and the tokens of one micro-batch.

    `fits` is True if a conversation of the longest allowed length can be trained; if not, `advice`
    describes a remedy.
    """

    fits: bool
    weights_gib: float
    adapter_gib: float
    free_gib: float
    tokens_per_microbatch: int
    gradient_checkpointing: bool
    longest_trainable: int
    advice: str | None


def adapter_parameters(model: BaseModelEntry, rank: int) -> int:
    """Trained weights of LoRA on every linear module of the layers."""
    narrow = model.hidden * model.kv_fraction
    attention = 2 * 2 * model.hidden + 2 * (model.hidden + narrow)
    return round(rank * model.layers * (attention + 3 * (model.hidden + model.intermediate)))


def weight_bytes(model: BaseModelEntry, method: str) -> float:
    """Bytes of the frozen base model in a GPU's memory."""
    if method != "qlora":
        return BYTES_A_WEIGHT * model.parameters
    other = model.parameters - model.body_parameters
    return BYTES_A_QUANTIZED_WEIGHT * model.body_parameters + BYTES_A_WEIGHT * other


def plan_memory(model: BaseModelEntry, gpu: GpuType, hyper: Hyperparameters) -> MemoryPlan:
    """The trainer's plan on this GPU; a CPU uses micro-batches of CPU_TOKENS."""
    weights = weight_bytes(model, hyper.method)
    adapter = BYTES_AN_ADAPTER_WEIGHT * adapter_parameters(model, hyper.rank)
    free = gpu.memory_gib * GIB - weights - adapter
    if gpu.is_cpu:
        tokens, recompute = CPU_TOKENS, False
        longest = hyper.max_seq_length if free > 0 else 0
    else:
        tokens, recompute, longest = microbatch(model, free, dropout=hyper.dropout > 0)
    fits = longest >= hyper.max_seq_length
    return MemoryPlan(
        fits=fits,
        weights_gib=round(weights / GIB, 2),
        adapter_gib=round(adapter / GIB, 2),
        free_gib=round(free / GIB, 2),
        tokens_per_microbatch=tokens,
        gradient_checkpointing=recompute,
        longest_trainable=longest,
        advice=None if fits else _advice(model, gpu, hyper, longest),
    )


def microbatch(model: BaseModelEntry, free_bytes: float, *, dropout: bool) -> tuple[int, bool, int]:
    """Tokens of a micro-batch, whether activations are recomputed, and the longest sequence."""
    kib = LAYER_KIB_WITH_DROPOUT if dropout else LAYER_KIB
    width = 6 * model.hidden + 4 * model.intermediate
    layer_bytes = kib * 1024 * width / LAYER_WIDTH
    usable = max(0.0, free_bytes - RESERVED_BYTES)
    kept = int(usable / (layer_bytes * model.layers))
    layer_inputs = 2 * model.hidden * model.layers
    recomputed = int(usable / (layer_inputs + layer_bytes))
    if kept >= LEAST_WITHOUT_RECOMPUTING:
        return _rounded(kept), False, kept
    return _rounded(recomputed), True, recomputed


def _rounded(tokens: int) -> int:
    return min(LARGEST, max(LEAST, tokens // 256 * 256))


def _advice(model: BaseModelEntry, gpu: GpuType, hyper: Hyperparameters, longest: int) -> str:
    size = f"{model.key} does not fit {gpu.key} ({gpu.memory_gib:g} GiB) with {hyper.method}"
    if longest >= LEAST:
        return f"{size} at {hyper.max_seq_length} tokens; set max_seq_length to {longest} or less."
    if hyper.method == "qlora":
        return f"{size}; choose a GPU with more memory, or a smaller model."
    return (
        f"{size}; use the method qlora, a GPU with more memory, or a smaller model. More GPUs do "
        "not help: each holds the whole base model."
    )
