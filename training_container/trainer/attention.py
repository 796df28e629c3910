"""Attention over packed sequences, within each sequence only.

On a GPU: the variable-length FlashAttention kernels inside torch, registered as an attention of
transformers, so the image needs no flash-attn build and no kernel download. On a CPU:
transformers' own block-diagonal mask, which it derives from position ids that start over.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import torch

from brightrun.sft.errors import ModelError

NAME = "brightrun_varlen"


def attention_for(device: torch.device) -> str:
    """The attention implementation to load the base model with."""
    if device.type != "cuda":
        return "sdpa"
    register_varlen()
    return NAME


def register_varlen() -> None:
    """Make the variable-length attention known to transformers under NAME."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(NAME, varlen_attention)
    AttentionMaskInterface.register(NAME, lambda *_, **__: None)


def varlen_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    _mask: torch.Tensor | None,
    *,
    scaling: float | None = None,
    cu_seq_lens_q: torch.Tensor,
    max_length_q: int,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each sequence; tensors come as (1, heads, tokens, head size).

    Raises ModelError for capped scores and attention sinks, which the kernel does not have.
    """
    if softcap is not None or s_aux is not None:
        name = type(module).__name__
        raise ModelError(f"{name} caps its scores or uses sinks; it cannot be trained packed.")
    from torch.nn.attention.varlen import varlen_attn

    q, k, v = (tensor[0].transpose(0, 1).contiguous() for tensor in (query, key, value))
    kernel: Callable[..., Any] = varlen_attn
    grouped, k, v = _grouped(kernel, q, k, v)
    settings = _causal(kernel, q.shape[-1], scaling, sliding_window)
    out: torch.Tensor = kernel(
        q, k, v, cu_seq_lens_q, cu_seq_lens_q, max_length_q, max_length_q, **settings, **grouped
    )
    return out[None], None


def _causal(
    kernel: Callable[..., Any], head_size: int, scaling: float | None, sliding_window: int | None
) -> dict[str, Any]:
    """The arguments that make this torch's kernel causal; raises ModelError for what it lacks.

    The kernel of torch 2.10, the last one on PyPI that is built for CUDA 12, knows neither windows
    nor another scale than the usual one.
    """
    if "is_causal" not in inspect.signature(kernel).parameters:
        left = -1 if sliding_window is None else sliding_window - 1
        return {"scale": scaling, "window_size": (left, 0)}
    usual = scaling is None or math.isclose(scaling, head_size**-0.5)
    if sliding_window is not None or not usual:
        raise ModelError(
            "The model scales its scores or slides a window, which the attention kernel of torch "
            f"{torch.__version__} cannot; build the image for CUDA 13."
        )
    return {"is_causal": True}


def _grouped(
    kernel: Callable[..., Any], q: torch.Tensor, k: torch.Tensor, v: torch.Tensor
) -> tuple[dict[str, bool], torch.Tensor, torch.Tensor]:
    """Grouped-query attention where this torch's kernel has it, else repeated keys and values."""
    groups = q.shape[1] // k.shape[1]
    if groups == 1:
        return {}, k, v
    if "enable_gqa" in inspect.signature(kernel).parameters:
        return {"enable_gqa": True}, k, v
    return {}, k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
