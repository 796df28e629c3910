"""The loss of a packed micro-batch: hidden states and logits only where a token is predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the usual name in torch code
from torch import nn

from brightrun.sft.templates import Example

CHUNK = 1024
"""Rows of logits held at once: 0.5 GiB in fp32 at a vocabulary of 128k."""


@dataclass(frozen=True)
class Microbatch:
    """Packed sequences. `predicts` are the positions whose next token has a loss."""

    ids: torch.Tensor
    positions: torch.Tensor
    predicts: torch.Tensor
    targets: torch.Tensor
    borders: torch.Tensor
    longest: int

    @classmethod
    def from_examples(cls, examples: Sequence[Example], device: torch.device) -> Microbatch:
        """Concatenate the examples into one micro-batch on the device."""
        ids: list[int] = []
        positions: list[int] = []
        predicts: list[int] = []
        targets: list[int] = []
        borders = [0]
        for example in examples:
            base = borders[-1]
            ids += example.ids
            positions += range(len(example.ids))
            for start, end in example.spans:
                predicts += range(base + start - 1, base + end - 1)
                targets += example.ids[start:end]
            borders.append(len(ids))

        def tensor(values: list[int], dtype: torch.dtype = torch.long) -> torch.Tensor:
            return torch.tensor(values, dtype=dtype, device=device)

        return cls(
            tensor(ids)[None],
            tensor(positions)[None],
            tensor(predicts),
            tensor(targets),
            tensor(borders, torch.int32),
            max(len(example.ids) for example in examples),
        )


class _FrozenHeadLoss(torch.autograd.Function):
    """Summed cross entropy through an output layer that is not trained.

    The gradient of the hidden states is computed with the loss, chunk by chunk, so that no
    logits are kept and none are computed twice.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
    ) -> torch.Tensor:
        wide = torch.promote_types(hidden.dtype, torch.float32)
        total = hidden.new_zeros((), dtype=wide)
        gradient = torch.empty_like(hidden)
        for start in range(0, hidden.shape[0], CHUNK):
            part = slice(start, start + CHUNK)
            logits = F.linear(hidden[part], weight, bias).to(wide)
            total += F.cross_entropy(logits, targets[part], reduction="sum")
            if ctx.needs_input_grad[0]:
                slope = logits.softmax(-1)
                slope[torch.arange(slope.shape[0], device=slope.device), targets[part]] -= 1
                gradient[part] = slope.to(hidden.dtype) @ weight
        ctx.save_for_backward(gradient)
        return total

    @staticmethod
    def backward(ctx: Any, *outputs: torch.Tensor) -> tuple[torch.Tensor, None, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * outputs[0].to(gradient.dtype), None, None, None


def model_inputs(batch: Microbatch) -> dict[str, Any]:
    """What a transformers model needs to keep the sequences of a micro-batch apart."""
    return {
        "input_ids": batch.ids,
        "position_ids": batch.positions,
        "use_cache": False,
        "cu_seq_lens_q": batch.borders,
        "cu_seq_lens_k": batch.borders,
        "max_length_q": batch.longest,
        "max_length_k": batch.longest,
    }


def hidden_states(model: Any, batch: Microbatch) -> torch.Tensor:
    """The last hidden states at the predicting positions, (targets, hidden size)."""
    output = model.get_base_model().get_decoder()(**model_inputs(batch))
    states: torch.Tensor = output.last_hidden_state[0, batch.predicts]
    return states


@torch.no_grad()
def target_nlls(model: Any, batch: Microbatch) -> torch.Tensor:
    """The negative log likelihood of each target token, in nats, without a gradient."""
    head: nn.Linear = model.get_base_model().get_output_embeddings()
    states = hidden_states(model, batch)
    wide = torch.promote_types(states.dtype, torch.float32)
    parts = [
        F.cross_entropy(
            F.linear(states[start : start + CHUNK], head.weight, head.bias).to(wide),
            batch.targets[start : start + CHUNK],
            reduction="none",
        )
        for start in range(0, states.shape[0], CHUNK)
    ]
    return torch.cat(parts)


def summed_nll(model: Any, batch: Microbatch) -> torch.Tensor:
    """The summed negative log likelihood of the target tokens, in nats, with its gradient."""
    head: nn.Linear = model.get_base_model().get_output_embeddings()
    states = hidden_states(model, batch)
    # torch types no Function's apply.
    loss: torch.Tensor = _FrozenHeadLoss.apply(  # type: ignore[no-untyped-call]
        states, head.weight, head.bias, batch.targets
    )
    return loss
