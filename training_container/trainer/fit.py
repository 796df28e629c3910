"""The training loop: steps, evaluations, checkpoints, and the reasons to stop."""

from __future__ import annotations

import contextlib
import math
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch

from brightrun.sft.dataset import Dataset
from brightrun.sft.errors import TrainingError
from brightrun.sft.packing import Step
from brightrun.sft.verdict import HeldOut, compare, mean_loss
from training_container.trainer import checkpoint
from training_container.trainer.checkpoint import Evaluation, Progress
from training_container.trainer.config import RunConfig
from training_container.trainer.errors import StoppedBeforeFirstStepError
from training_container.trainer.metrics import Metrics
from training_container.trainer.optimizer import learning_rate_at
from training_container.trainer.step import Trainer
from training_container.trainer.stopping import Budget, EarlyStopping, StopReason, StopSignal

RATE_WINDOW = 20
"""Steps over which tokens per second are averaged."""


@dataclass
class Outcome:
    """The result of a run; `resumed_from` is the step of the checkpoint, 0 without one.

    `held_out` compares the published weights with the base model.
    """

    progress: Progress
    reason: StopReason
    resumed_from: int
    published_step: int
    held_out: HeldOut


class Fit:
    """One run over the steps of a dataset, resumed from the newest checkpoint if there is one."""

    def __init__(
        self,
        config: RunConfig,
        dataset: Dataset,
        trainer: Trainer,
        checkpoints: Path,
        metrics: Metrics,
        stop: StopSignal,
        budget: Budget,
    ) -> None:
        self.config = config
        self.dataset = dataset
        self.trainer = trainer
        self.folder = checkpoints
        self.metrics = metrics
        self.stop = stop
        self.budget = budget
        self.early = EarlyStopping(config)
        self.progress = Progress(run=self._run())
        self.best: torch.Tensor | None = None
        self._recent: deque[tuple[int, float]] = deque(maxlen=RATE_WINDOW)

    def _run(self) -> str:
        return checkpoint.run_fingerprint(self.config.trajectory(), self.dataset.report.files)

    def run(self) -> Outcome:
        """Train until the last step or a reason to stop; leaves the best weights in the adapter.

        Raises BudgetError or StoppedBeforeFirstStepError when not one step was possible.
        """
        resumed_from = self._resume()
        steps = self.dataset.steps
        if not self.progress.step and self._stop_reason() is StopReason.FINISHED:
            self._evaluate()
        reason = self._stop_reason()
        if not self.progress.step and reason is not StopReason.FINISHED:
            raise self._no_step_error(reason)
        while reason is StopReason.FINISHED and self.progress.step < len(steps):
            began = time.monotonic()
            step = steps[self.progress.step]
            self._train_step(step)
            if step.ends_evaluation_period:
                self._evaluate()
            self.budget.observe_step(time.monotonic() - began)
            reason = self._stop_reason()
            if self._is_save_due(reason):
                self._save()
        if reason is StopReason.BUDGET and not self._is_evaluated():
            self._evaluate()
        self._restore_best_weights()
        is_best = self._is_best_published()
        published = self.progress.best_step if is_best else self.progress.step
        return Outcome(self.progress, reason, resumed_from, published, self._held_out())

    def _no_step_error(self, reason: StopReason) -> TrainingError:
        if reason is StopReason.SIGNAL:
            return StoppedBeforeFirstStepError("a stop was asked for before the first step.")
        return self.budget.too_small()

    def _resume(self) -> int:
        workers = self.trainer.workers
        found = checkpoint.latest(self.folder, self.progress.run) if workers.is_main else None
        text = workers.broadcast_text(_encoded(found[0] if found else self.progress))
        self.progress = _decoded(text)
        if not self.progress.step:
            return 0
        # Only the main process is sure to have the files; the others receive its tensors.
        tensors = {**self.trainer.optimizer.tensors(), "best": self._master()}
        for name, tensor in tensors.items():
            if found:
                tensor.copy_(found[1][name])
            workers.broadcast_(tensor)
        self.best = tensors.pop("best")
        self.trainer.optimizer.load(tensors)
        self.budget.resume(self.progress.elapsed_seconds)
        self.metrics.resume(self.progress.step)
        return self.progress.step

    def _train_step(self, step: Step) -> None:
        progress, examples, total = self.progress, self.dataset.train, len(self.dataset.steps)
        began = time.monotonic()
        rate = learning_rate_at(progress.step, total, self.config)
        loss, norm = self.trainer.train_step(step, progress.step, examples, rate)
        seconds = time.monotonic() - began
        tokens = sum(len(examples[i].ids) for i in step.indexes)
        self._recent.append((tokens, seconds))
        progress.step += 1
        progress.losses.append(loss)
        progress.tokens += tokens
        progress.target_tokens += sum(examples[i].targets() for i in step.indexes)
        progress.train_seconds += seconds
        self.metrics.record(
            "step",
            step=progress.step,
            total_steps=total,
            epoch=round(step.epoch, 4),
            train_loss=loss,
            learning_rate=rate,
            grad_norm=norm,
            tokens_per_second=sum(t for t, _ in self._recent) / sum(s for _, s in self._recent),
            **gpu_use(self.trainer.workers.device),
        )

    def _evaluate(self) -> None:
        examples, progress = self.dataset.validation, self.progress
        if not examples:
            return
        self.metrics.stage("validating")
        losses = self.trainer.held_out_losses(examples)
        loss = mean_loss(losses, sum(example.targets() for example in examples))
        self.metrics.record("evaluation", step=progress.step, validation_loss=loss)
        self.metrics.stage("training")
        if not progress.step:
            progress.base_losses = losses
        elif loss is not None and loss < min(self._trained_losses(), default=math.inf):
            progress.best_step, progress.best_losses = progress.step, losses
            self.best = self._master()
        progress.evaluations.append(Evaluation(progress.step, loss))

    def _held_out(self) -> HeldOut:
        progress, examples = self.progress, self.dataset.validation
        if self._is_best_published():
            published = progress.best_losses
        else:  # not evaluated at all, or never finite
            published = [None] * len(examples) if self._is_evaluated() else []
        return compare(examples, progress.base_losses, published)

    def _trained_losses(self) -> list[float]:
        """The held-out losses since the first step; infinity for one that was not finite."""
        return [math.inf if e.loss is None else e.loss for e in self.progress.evaluations if e.step]

    def _is_evaluated(self) -> bool:
        evaluations = self.progress.evaluations
        return bool(evaluations) and evaluations[-1].step == self.progress.step

    def _stop_reason(self) -> StopReason:
        reason = StopReason.FINISHED
        if self._is_evaluated() and self.early.is_due(self._trained_losses()):
            reason = StopReason.NO_IMPROVEMENT
        if self.budget.is_spent():
            reason = StopReason.BUDGET
        if self.stop.received:
            reason = StopReason.SIGNAL
        return StopReason(self.trainer.workers.max(reason))

    def _is_save_due(self, reason: StopReason) -> bool:
        step, total = self.progress.step, len(self.dataset.steps)
        periodic = step % self.config.checkpoint_every_steps == 0
        return periodic or step == total or reason is not StopReason.FINISHED

    def _save(self) -> None:
        self.progress.elapsed_seconds = self.budget.elapsed()
        if self.trainer.workers.is_main:
            best = self._master() if self.best is None else self.best
            tensors = {**self.trainer.optimizer.tensors(), "best": best}
            checkpoint.save(self.folder, self.progress, tensors)

    def _is_best_published(self) -> bool:
        """Whether the published weights are those of the lowest held-out loss.

        They are the last ones where the last step was not evaluated: it may be better still.
        """
        return self._is_evaluated() and self.progress.best_step > 0

    def _restore_best_weights(self) -> None:
        is_other = self.progress.best_step != self.progress.step
        if self.best is not None and self._is_best_published() and is_other:
            optimizer = self.trainer.optimizer
            with torch.no_grad():
                optimizer.master.copy_(self.best)
            optimizer.publish()

    def _master(self) -> torch.Tensor:
        return self.trainer.optimizer.master.detach().clone()


def gpu_use(device: torch.device) -> dict[str, Any]:
    """Peak memory in GiB and GPU use in percent, where the driver reports it; empty on a CPU."""
    if device.type != "cuda":
        return {}
    use = {"gpu_peak_gib": round(torch.cuda.max_memory_allocated(device) / 2**30, 2)}
    with contextlib.suppress(Exception):  # a missing figure must not end the job
        use["gpu_utilization"] = torch.cuda.utilization(device)
    return use


def _encoded(progress: Progress) -> str:
    return msgspec.json.encode(progress).decode()


def _decoded(text: str) -> Progress:
    return msgspec.json.decode(text, type=Progress)
