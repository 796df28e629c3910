"""The loss on held-out conversations, and a check that packed examples do not see each other."""

from __future__ import annotations

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
    summed_nll,
)
from training_container.trainer.workers import Workers

PROBE_TOKENS = 48
LEAK_LIMIT = {torch.float32: 1e-4, torch.bfloat16: 0.15}
"""Largest relative difference of hidden states, packed against alone, that rounding can explain.
Content of another example changes them by about their own size."""
LOGIT_LIMIT = {torch.float32: 1e-4, torch.bfloat16: 1e-2}
"""The same limit for logits computed from identical hidden states of identical shape."""


@torch.no_grad()
def mean_loss(
    model: Any, examples: Sequence[Example], workers: Workers, tokens_per_microbatch: int
) -> float:
    """Mean negative log likelihood per target token, in nats, over all processes' shares."""
    everything = Step(tuple(range(len(examples))), 0.0)
    bins = microbatches(everything, examples, workers.rank, workers.world, tokens_per_microbatch)
    total = torch.zeros((), dtype=torch.float64, device=workers.device)
    model.eval()
    for members in bins:
        total += summed_nll(
            model, Microbatch.from_examples([examples[i] for i in members], workers.device)
        )
    model.train()
    return float(workers.sum_(total)) / sum(example.targets() for example in examples)


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
