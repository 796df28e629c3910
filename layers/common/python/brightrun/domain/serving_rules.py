"""What an adapter must be so that vLLM serves it and PEFT loads it, checked without either.

The values are those of vLLM's LoRAConfig and of training_container/trainer/verify.py, which a test
holds equal; the container also loads the adapter and looks at its numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from brightrun.domain.safetensors_header import Tensor
from brightrun.errors.training import UnusableAdapterError

VLLM_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""Values that vLLM takes for --max-lora-rank."""

VLLM_MODULES = frozenset(
    {"q_proj", "k_proj", "v_proj", "o_proj", "qkv_proj",
     "gate_proj", "up_proj", "down_proj", "gate_up_proj"}
)  # fmt: skip
"""Linear layers that vLLM adapts in Llama-like architectures."""

VLLM_REFUSES = ("use_dora", "modules_to_save", "layer_replication", "alora_invocation_tokens")
"""Settings of an adapter that vLLM does not serve."""

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
CHAT_TEMPLATE = "chat_template.jinja"

REQUIRED = (
    WEIGHTS,
    CONFIG,
    TOKENIZER_CONFIG,
    "generation_config.json",
    "results.json",
    "README.md",
)
TOKENIZERS = frozenset({"tokenizer.json", "tokenizer.model", "vocab.json"})


def check_files(names: Collection[str], tokenizer_config: Mapping[str, Any]) -> None:
    """Raise UnusableAdapterError that names every file which is missing."""
    missing = [name for name in REQUIRED if name not in names]
    if not TOKENIZERS & set(names):
        missing.append("tokenizer.json")
    if CHAT_TEMPLATE not in names and not tokenizer_config.get("chat_template"):
        missing.append(CHAT_TEMPLATE)
    if missing:
        raise UnusableAdapterError(f"The artifact lacks {', '.join(missing)}.")


def check_settings(settings: Mapping[str, Any], rank: int) -> int:
    """Check adapter_config.json and give the --max-lora-rank that serves it.

    Raises UnusableAdapterError, naming the setting at fault.
    """
    if settings.get("peft_type") != "LORA":
        raise UnusableAdapterError(f"The adapter is of the type {settings.get('peft_type')!r}.")
    if settings.get("r") != rank:
        raise UnusableAdapterError(
            f"The adapter has the rank {settings.get('r')!r}, not {rank} as the job asked for."
        )
    refused = [name for name in VLLM_REFUSES if settings.get(name)]
    if refused or settings.get("bias", "none") != "none":
        raise UnusableAdapterError(
            f"vLLM does not serve an adapter with {', '.join(refused) or 'trained biases'}."
        )
    _check_modules(settings.get("target_modules"))
    return max_lora_rank(rank)


def max_lora_rank(rank: int) -> int:
    """The smallest --max-lora-rank that serves a rank; UnusableAdapterError above the largest."""
    fitting = [allowed for allowed in VLLM_RANKS if rank <= allowed]
    if not fitting:
        raise UnusableAdapterError(f"The rank {rank} is above {VLLM_RANKS[-1]}, vLLM's most.")
    return fitting[0]


def check_tensors(tensors: Sequence[Tensor], rank: int) -> int:
    """Check that every tensor is half of a LoRA pair of this rank; give how many numbers they hold.

    Raises UnusableAdapterError, naming the tensor at fault.
    """
    names = {tensor.name for tensor in tensors}
    if not names:
        raise UnusableAdapterError("The adapter holds no tensor.")
    for tensor in tensors:
        partner = _partner(tensor.name)
        if partner is None:
            raise UnusableAdapterError(f"{tensor.name} is no part of a LoRA adapter.")
        if partner not in names:
            raise UnusableAdapterError(f"{tensor.name} lacks its other half, {partner}.")
        inner = 0 if ".lora_A." in tensor.name else 1
        if len(tensor.shape) != 2 or tensor.shape[inner] != rank:
            raise UnusableAdapterError(
                f"{tensor.name} has the shape {tensor.shape}, not the rank {rank}."
            )
    return sum(tensor.values for tensor in tensors)


def _partner(name: str) -> str | None:
    for ours, other in ((".lora_A.", ".lora_B."), (".lora_B.", ".lora_A.")):
        if ours in name and name.endswith("weight"):
            return name.replace(ours, other)
    return None


def _check_modules(modules: Any) -> None:
    named = {modules} if isinstance(modules, str) else set(modules or ())
    unserved = sorted({name.rpartition(".")[2] for name in named} - VLLM_MODULES)
    if unserved or not named:
        raise UnusableAdapterError(
            f"vLLM adapts no module named {', '.join(unserved) or 'nothing'}; name target_modules "
            f"among {', '.join(sorted(VLLM_MODULES))}."
        )
