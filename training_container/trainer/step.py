"""One optimizer step over any number of micro-batches, halving them when the GPU is full."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from brightrun.sft.errors import ModelError
from brightrun.sft.packing import Step, microbatches
from brightrun.sft.templates import Example
from training_container.trainer.errors import DivergedError
from training_container.trainer.evaluate import example_losses
from training_container.trainer.loss import Microbatch, summed_nll
from training_container.trainer.optimizer import AdapterOptimizer
from training_container.trainer.workers import Workers


@dataclass
class Trainer:
    """The model, its optimizer, and the largest micro-batch size, in tokens, known to fit."""

    model: Any
    optimizer: AdapterOptimizer
    workers: Workers
    tokens_per_microbatch: int
    seed: int

    def train_step(
        self, step: Step, number: int, examples: Sequence[Example], learning_rate: float
    ) -> tuple[float, float]:
        """Run optimizer step `number`; returns (mean loss per target token in nats, gradient norm).

        The mean is over the whole step, so neither micro-batches nor processes change it.
        Raises DivergedError when it is not finite, ModelError when one sequence does not fit.
        """
        targets = sum(examples[i].targets() for i in step.indexes)
        # Seeded per step, a resumed run draws the same dropout as one that never stopped.
        torch.manual_seed(self.seed * 1_000_003 + number * 1009 + self.workers.rank)
        while not self._accumulate_gradients(step, examples, targets):
            self.halve_microbatch(max(len(examples[i].ids) for i in step.indexes))
        loss, norm = self.optimizer.step(learning_rate, self.workers)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise DivergedError(
                f"loss {loss} with gradient norm {norm} at step {number + 1}; "
                "lower learning_rate, or look for damaged rows in the dataset."
            )
        return loss, norm

    def held_out_losses(self, examples: Sequence[Example]) -> list[float | None]:
        """The summed loss of each example, in nats; None where it is not finite.

        Raises ModelError when one sequence does not fit.
        """
        while True:
            try:
                return example_losses(
                    self.model, examples, self.workers, self.tokens_per_microbatch
                )
            except torch.OutOfMemoryError:
                self.halve_microbatch(max(len(example.ids) for example in examples))

    def _accumulate_gradients(self, step: Step, examples: Sequence[Example], targets: int) -> bool:
        self.optimizer.zero_grad()
        workers = self.workers
        bins = microbatches(step, examples, workers.rank, workers.world, self.tokens_per_microbatch)
        try:
            for members in bins:
                batch = Microbatch.from_examples([examples[i] for i in members], workers.device)
                loss = summed_nll(self.model, batch) / targets
                loss.backward()
                self.optimizer.accumulate(loss)
        except torch.OutOfMemoryError:
            return False
        return True

    def halve_microbatch(self, longest: int) -> None:
        """Halve the micro-batch, to no less than its longest sequence; both are in tokens.

        Raises ModelError when that sequence has had the micro-batch to itself already.
        """
        if self.tokens_per_microbatch <= longest:
            raise ModelError(
                f"one sequence of {longest} tokens does not fit into GPU memory; lower "
                "max_seq_length, set gradient_checkpointing to 'on' or choose a larger GPU."
            )
        self.tokens_per_microbatch = max(longest, self.tokens_per_microbatch // 2)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
