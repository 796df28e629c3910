"""Arithmetic of a training step, for the share of a GPU's peak that a run reaches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from brightrun.sft.templates import Example


def flops_per_token(model: Any, examples: Sequence[Example], *, recompute: bool) -> float:
    """Floating-point operations per trained token, on average over the examples.

    4 per weight of a linear layer (forward, and backward to the activations; frozen weights
    need no gradient), 6 with recomputation; the output layer counts where a token is predicted
    and is never recomputed; attention costs 4 x width x visible tokens x layers, three times
    (four with recomputation). Source: spec training.md 1.3 and 3.1.
    """
    base = model.get_base_model()
    head = base.get_output_embeddings()
    body = sum(_weights(layer) for layer in base.get_decoder().layers)
    tokens = sum(len(example.ids) for example in examples)
    targets = sum(example.targets() for example in examples)
    visible = sum(len(example.ids) ** 2 for example in examples) / 2 / tokens
    settings = base.config
    width = settings.num_attention_heads * (
        getattr(settings, "head_dim", None) or settings.hidden_size // settings.num_attention_heads
    )
    attention = 4.0 * width * visible * settings.num_hidden_layers
    passes, attention_passes = (6, 4) if recompute else (4, 3)
    output = 4.0 * head.in_features * head.out_features * targets / tokens
    return float(passes * body + output + attention_passes * attention)


def _weights(layer: Any) -> int:
    """Weights of the layer's base linears; the adapter's own are about one percent more."""
    from torch import nn

    linears = (
        module
        for name, module in layer.named_modules()
        if isinstance(module, nn.Linear) and "lora_" not in name
    )
    return sum(linear.in_features * linear.out_features for linear in linears)
