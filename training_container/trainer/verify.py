"""Checks of the written adapter: it loads, is finite, can be served by vLLM, and has an effect."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from brightrun.sft.servable import VLLM_RANKS, max_lora_rank, settings_complaint
from brightrun.sft.templates import Example
from training_container.trainer.errors import ArtifactError
from training_container.trainer.loss import Microbatch, hidden_states
from training_container.trainer.servable import require_modules

PROBE_TOKENS = 128


def vllm_max_lora_rank(rank: int) -> int:
    """The smallest --max-lora-rank that serves this rank; ArtifactError above the largest."""
    allowed = max_lora_rank(rank)
    if allowed is None:
        raise ArtifactError(f"rank {rank} is above {VLLM_RANKS[-1]}, the most that vLLM serves.")
    return allowed


def check_files(folder: Path) -> dict[str, Any]:
    """Check the written adapter without its base model; the findings go into results.json.

    Raises ArtifactError, naming the tensor or setting at fault.
    """
    settings = json.loads((folder / "adapter_config.json").read_bytes())
    tensors = load_file(folder / "adapter_model.safetensors")
    if complaint := settings_complaint(settings):
        raise ArtifactError(complaint)
    require_modules(settings["target_modules"], ArtifactError)
    max_rank = vllm_max_lora_rank(settings["r"])
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise ArtifactError(f"{name} holds values that are not finite.")
        if settings["r"] not in tensor.shape:
            raise ArtifactError(f"{name} has shape {tuple(tensor.shape)}, not rank {settings['r']}")
    count = sum(tensor.numel() for tensor in tensors.values())
    return {"tensors": len(tensors), "parameters": count, "finite": True,
            "vllm_max_lora_rank": max_rank}  # fmt: skip


@torch.no_grad()
def check_effect(
    model: Any, folder: Path, example: Example, device: torch.device
) -> dict[str, float]:
    """Load the written files with PEFT onto the base model and compare logits with and without.

    Raises ArtifactError when they do not load, are not the trained adapter to the bit, or
    change nothing.
    """
    from peft import get_peft_model_state_dict

    model.eval()
    batch = Microbatch.from_examples([_opening(example)], device)
    try:
        model.load_adapter(str(folder), adapter_name="written", autocast_adapter_dtype=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise ArtifactError(f"PEFT cannot load the adapter that was written: {error}") from error
    model.set_adapter("written")
    written = _logits(model, batch)
    with model.disable_adapter():
        untouched = _logits(model, batch)
    default, loaded = (
        get_peft_model_state_dict(model, adapter_name=name, save_embedding_layers=False)
        for name in ("default", "written")
    )
    model.set_adapter("default")
    model.delete_adapter("written")
    if not all(torch.equal(tensor, loaded[name]) for name, tensor in default.items()):
        raise ArtifactError("the adapter that was written is not the one that was trained.")
    change = float((written - untouched).abs().max())
    if not math.isfinite(change):
        raise ArtifactError("the adapter makes logits that are not finite.")
    if change == 0:
        raise ArtifactError("the adapter does not change a single logit; train longer or faster.")
    return {"largest_logit_change": change}


def _logits(model: Any, batch: Microbatch) -> torch.Tensor:
    head = model.get_base_model().get_output_embeddings()
    logits: torch.Tensor = head(hidden_states(model, batch)).float()
    return logits


def _opening(example: Example) -> Example:
    """The last PROBE_TOKENS tokens of the example; a longer context would only cost time."""
    ids = example.ids[-PROBE_TOKENS:]
    return Example(ids, [(1, len(ids))], example.conversation_id)
