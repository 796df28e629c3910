"""AdamW over the adapter as one flat fp32 vector, whatever dtype the adapter computes in.

One vector makes one all-reduce, one norm and one checkpoint tensor; fp32 masters keep updates
that bf16 weights would round away.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from training_container.trainer.config import RunConfig
from training_container.trainer.workers import Workers


class AdapterOptimizer:
    """Holds the master weights, the summed gradient and AdamW's moments of the trained tensors."""

    def __init__(self, parameters: Sequence[torch.nn.Parameter], config: RunConfig) -> None:
        self.parameters = list(parameters)
        flat = torch.cat([p.detach().float().flatten() for p in self.parameters])
        self.master = torch.nn.Parameter(flat)
        # One element more than there are weights, so that one all-reduce also sums the loss.
        self.buffer = torch.zeros(flat.numel() + 1, device=flat.device)
        self.master.grad = self.buffer[:-1]
        self._gradients = self._views(self.buffer[:-1])
        self._max_norm = config.max_grad_norm
        self._adamw = torch.optim.AdamW(
            [self.master],
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            fused=flat.device.type == "cuda",
        )

    def _views(self, flat: torch.Tensor) -> list[torch.Tensor]:
        parts = flat.split([p.numel() for p in self.parameters])
        return [part.view_as(p) for part, p in zip(parts, self.parameters, strict=True)]

    def zero_grad(self) -> None:
        """Reset the accumulated gradient and loss to zero."""
        self.buffer.zero_()
        for parameter in self.parameters:
            parameter.grad = None

    def accumulate(self, loss: torch.Tensor) -> None:
        """Add the gradients and the loss of one backward pass to the fp32 sums."""
        self.buffer[-1] += loss.detach()
        for parameter, total in zip(self.parameters, self._gradients, strict=True):
            if parameter.grad is not None:
                total.add_(parameter.grad)
                parameter.grad = None

    def step(self, learning_rate: float, workers: Workers) -> tuple[float, float]:
        """One update from the gradient summed over all processes: (loss, gradient norm)."""
        workers.sum_(self.buffer)
        loss, norm = float(self.buffer[-1]), float(self.buffer[:-1].norm())
        if math.isfinite(loss) and math.isfinite(norm):
            self.buffer[:-1] *= min(1.0, self._max_norm / (norm + 1e-6))
            self._adamw.param_groups[0]["lr"] = learning_rate
            self._adamw.step()
            self.publish()
        self.zero_grad()
        return loss, norm

    @torch.no_grad()
    def publish(self) -> None:
        """Copy the fp32 master weights into the adapter's own parameters."""
        for parameter, weights in zip(self.parameters, self._views(self.master), strict=True):
            parameter.copy_(weights)

    def tensors(self) -> dict[str, torch.Tensor]:
        """Everything that the next step depends on, by name; AdamW's moments included."""
        state = self._adamw.state[self.master] or self._fresh_state()
        return {
            "master": self.master.detach(),
            "exp_avg": state["exp_avg"],
            "exp_avg_sq": state["exp_avg_sq"],
            "adamw_step": state["step"].reshape(1),
        }

    def _fresh_state(self) -> dict[str, torch.Tensor]:
        zeros = torch.zeros_like(self.master.detach())
        step = torch.zeros((), device=zeros.device)
        return {"exp_avg": zeros, "exp_avg_sq": zeros.clone(), "step": step}

    @torch.no_grad()
    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        """Restore the state that `tensors()` returned."""
        device = self.master.device
        self.master.copy_(tensors["master"])
        self._adamw.state[self.master] = {
            "exp_avg": tensors["exp_avg"].to(device),
            "exp_avg_sq": tensors["exp_avg_sq"].to(device),
            "step": tensors["adamw_step"].reshape(()).to(device),
        }
        self.publish()


def learning_rate_at(step: int, total: int, config: RunConfig) -> float:
    """The learning rate of a step (from 0): linear warm-up, then the schedule down to 0."""
    warmup = int(config.warmup_fraction * total)
    if step < warmup:
        return config.learning_rate * (step + 1) / warmup
    share = (step - warmup) / max(1, total - warmup)
    factor = {
        "constant": 1.0,
        "linear": 1.0 - share,
        "cosine": 0.5 * (1.0 + math.cos(math.pi * share)),
    }[config.schedule]
    return config.learning_rate * factor
