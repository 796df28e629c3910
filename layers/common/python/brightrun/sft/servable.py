"""What vLLM serves of an adapter: the rules of the trainer and of the check before delivery."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

VLLM_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""Values that vLLM takes for --max-lora-rank (its LoRAConfig)."""

VLLM_MODULES = frozenset(
    {"q_proj", "k_proj", "v_proj", "o_proj", "qkv_proj",
     "gate_proj", "up_proj", "down_proj", "gate_up_proj"}
)  # fmt: skip
"""Linear layers that vLLM adapts in Llama-like architectures."""

VLLM_REFUSES = ("use_dora", "modules_to_save", "layer_replication", "alora_invocation_tokens")
"""Settings of an adapter that vLLM does not serve."""


def modules_complaint(modules: Iterable[str]) -> str | None:
    """What vLLM does not adapt of these modules, in a sentence; None if it adapts them all.

    A module is known by the end of its path.
    """
    named = {name.rpartition(".")[2] for name in modules}
    unserved = sorted(named - VLLM_MODULES)
    if named and not unserved:
        return None
    return (
        f"vLLM adapts no module named {', '.join(filter(None, unserved)) or 'nothing'}; name "
        f"target_modules among {', '.join(sorted(VLLM_MODULES))}."
    )


def settings_complaint(settings: Mapping[str, Any]) -> str | None:
    """What vLLM does not serve of an adapter's settings, in a sentence; None if it serves them."""
    refused = [name for name in VLLM_REFUSES if settings.get(name)]
    if not refused and settings.get("bias", "none") == "none":
        return None
    return f"vLLM does not serve an adapter with {', '.join(refused) or 'trained biases'}."


def max_lora_rank(rank: int) -> int | None:
    """The smallest --max-lora-rank that serves a rank; None above vLLM's largest."""
    return next((allowed for allowed in VLLM_RANKS if rank <= allowed), None)
