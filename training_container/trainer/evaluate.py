"""The loss on held-out conversations, and a check that packed examples do not see each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from brightrun.sft.errors import ModelError
from brightrun.sft.packing import Step, microbatches
from brightrun.sft.templates import Example
from training_container.trainer.loss import (
    Microbatch,
    hidden_states,
    model_inputs,
    target_nlls,
)
from training_container.trainer.workers import Workers

PROBE_TOKENS = 48
LEAK_LIMIT = {torch.float32: 1e-4, torch.bfloat16: 0.15}
"""Largest relative difference of hidden states, packed against alone, that rounding can explain.
Content of another example changes them by about their own size."""
LOGIT_LIMIT = {torch.float32: 1e-4, torch.bfloat16: 1e-2}
"""The same limit for logits computed from identical hidden states of identical shape."""


@torch.no_grad()
def example_losses(
    model: Any, examples: Sequence[Example], workers: Workers, tokens_per_microbatch: int
) -> list[float | None]:
    """The summed loss of each example's target tokens, in nats; None where it is not finite.

    The processes share the examples. Raises torch.OutOfMemoryError before they wait for each other.
    """
    everything = Step(tuple(range(len(examples))), 0.0)
    bins = microbatches(everything, examples, workers.rank, workers.world, tokens_per_microbatch)
    losses = torch.zeros(len(examples), dtype=torch.float64, device=workers.device)
    model.eval()
    for members in bins:
        batch = Microbatch.from_examples([examples[i] for i in members], workers.device)
        parts = target_nlls(model, batch).double().split([examples[i].targets() for i in members])
        losses[members] = torch.stack([part.sum() for part in parts])
    model.train()
    summed = workers.sum_(losses).tolist()
    return [loss if math.isfinite(loss) else None for loss in summed]


@torch.no_grad()
def check_packing(model: Any, examples: Sequence[Example], device: torch.device) -> None:
    """Check on two examples that packing changes nothing and that our logits are the model's.

    Catches architectures whose layers carry state across sequences or that scale their logits.
    Raises ModelError; costs five short forward passes.
    """
    model.eval()
    first, second = _opening(examples[0]), _opening(examples[-1])
    lone = Microbatch.from_examples([first], device)
    alone = [hidden_states(model, b) for b in (lone, Microbatch.from_examples([second], device))]
    packed = hidden_states(model, Microbatch.from_examples([first, second], device))
    leak = _relative_difference(packed, torch.cat(alone))
    if leak > LEAK_LIMIT[packed.dtype]:
        raise ModelError(
            f"packed sequences see each other in this architecture (difference {leak:.3f}); "
            "it cannot be trained with this container."
        )
    base = model.get_base_model()
    ours = base.get_output_embeddings()(alone[0])
    own = base(**model_inputs(lone)).logits[0, lone.predicts]
    if _relative_difference(ours, own) > LOGIT_LIMIT[packed.dtype]:
        raise ModelError("this architecture rescales its logits; it cannot be trained here.")
    model.train()


def _opening(example: Example) -> Example:
    """A short stand-in with the same first tokens, all of them predicted."""
    ids = example.ids[:PROBE_TOKENS]
    return Example(ids, [(1, len(ids))], example.conversation_id)


def _relative_difference(left: torch.Tensor, right: torch.Tensor) -> float:
    return float((left.float() - right.float()).norm() / right.float().norm())
