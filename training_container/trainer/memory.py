"""The micro-batch size, in tokens, that fits this GPU, and whether to recompute activations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CPU_TOKENS = 1024
"""On a CPU the attention mask is dense, so a long pack computes mostly masked scores."""
RESERVED_BYTES = 6 * 2**30
"""Left free for the CUDA context, workspaces, one chunk of logits and fragmentation."""

REFERENCE_KIB = 197.0
"""KiB per token and layer kept for the backward pass by a bf16 Llama-3.1-8B layer with LoRA on
every linear and no dropout; 305 with dropout (measured, spec: training.md 1.3)."""
REFERENCE_KIB_DROPOUT = 305.0
REFERENCE_WIDTH = 6 * 4096 + 4 * 14336
MIN_TOKENS_WITHOUT_RECOMPUTING = 6144
"""With fewer tokens a micro-batch does not saturate an H100; recomputing activations is faster."""
MAX_TOKENS = 32768


@dataclass(frozen=True)
class MicrobatchPlan:
    """Tokens per micro-batch, and whether activations are recomputed in the backward pass."""

    tokens: int
    recompute: bool


def plan_microbatch(
    free_bytes: int, architecture: Any, *, dropout: bool, recompute: str
) -> MicrobatchPlan:
    """The plan for `free_bytes` left beside the weights, for a Llama-like `architecture`.

    `recompute` is "on", "off" or "auto"; "auto" recomputes where fewer than
    MIN_TOKENS_WITHOUT_RECOMPUTING tokens would fit without.
    """
    kib = REFERENCE_KIB_DROPOUT if dropout else REFERENCE_KIB
    width = 6 * architecture.hidden_size + 4 * architecture.intermediate_size
    layer_bytes = kib * 1024 * width / REFERENCE_WIDTH
    usable = max(0, free_bytes - RESERVED_BYTES)
    kept = int(usable / (layer_bytes * architecture.num_hidden_layers))
    if recompute == "off" or (recompute == "auto" and kept >= MIN_TOKENS_WITHOUT_RECOMPUTING):
        return MicrobatchPlan(_rounded(kept), recompute=False)
    layer_inputs = 2 * architecture.hidden_size * architecture.num_hidden_layers
    return MicrobatchPlan(_rounded(int(usable / (layer_inputs + layer_bytes))), recompute=True)


def _rounded(tokens: int) -> int:
    return min(MAX_TOKENS, max(1024, tokens // 256 * 256))
