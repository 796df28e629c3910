"""What vLLM serves of an adapter: checked before the first step, and again of the written files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from brightrun.sft.errors import ModelError, TrainingError

VLLM_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""Values that vLLM takes for --max-lora-rank (its LoRAConfig)."""

VLLM_MODULES = frozenset(
    {"q_proj", "k_proj", "v_proj", "o_proj", "qkv_proj",
     "gate_proj", "up_proj", "down_proj", "gate_up_proj"}
)  # fmt: skip
"""Linear layers that vLLM adapts in Llama-like architectures."""

VLLM_REFUSES = ("use_dora", "modules_to_save", "layer_replication", "alora_invocation_tokens")
"""Settings of an adapter that vLLM does not serve."""

ALL_LINEAR = "all-linear"
"""PEFT's name for every linear module but the output layer."""


def require_modules(modules: Iterable[str], refusal: type[TrainingError]) -> None:
    """Raise `refusal` that names every module, by the end of its path, that vLLM does not adapt."""
    named = {name.rpartition(".")[2] for name in modules}
    unserved = sorted(named - VLLM_MODULES)
    if unserved or not named:
        raise refusal(
            f"vLLM adapts no module named {', '.join(filter(None, unserved)) or 'nothing'}; name "
            f"target_modules among {', '.join(sorted(VLLM_MODULES))}."
        )


def require_attached(model: Any) -> None:
    """Check what PEFT has really attached and unfrozen; raises ModelError.

    `all-linear` takes every linear module that a model has, servable or not.
    """
    require_modules(model.targeted_module_names, ModelError)
    others = [
        name for name, p in model.named_parameters() if p.requires_grad and "lora_" not in name
    ]
    if others:
        raise ModelError(
            f"{others[0]} would be trained beside the adapter; vLLM serves LoRA alone."
        )
