"""The processes, the model and the dataset of one run, from loading to publishing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from brightrun.sft.dataset import Dataset
from training_container.trainer import memory, model, publish, verify
from training_container.trainer.config import RunConfig
from training_container.trainer.contract import JobPaths
from training_container.trainer.evaluate import check_packing
from training_container.trainer.fit import Fit, Outcome
from training_container.trainer.metrics import Metrics
from training_container.trainer.optimizer import AdapterOptimizer
from training_container.trainer.step import Trainer
from training_container.trainer.stopping import Budget, StopSignal
from training_container.trainer.throughput import flops_per_token
from training_container.trainer.workers import Workers, init_workers


@dataclass
class Session:
    """The state of a run between loading the base model and publishing the adapter."""

    config: RunConfig
    source: dict[str, Any]
    dataset: Dataset
    trainer: Trainer
    recompute: bool

    @classmethod
    def open(cls, config: RunConfig, source: dict[str, Any], dataset: Dataset) -> Session:
        """Initialize the processes, load the base model and attach an adapter to train."""
        workers = init_workers(os.environ)
        if workers.device.type == "cuda":
            torch.set_float32_matmul_precision("high")
        adapted = model.build_model(source, config, workers.device)
        check_packing(adapted, dataset.train, workers.device)
        plan = _plan(config, adapted, workers)
        if plan.recompute:
            model.enable_checkpointing(adapted)
        parameters = model.trained_parameters(adapted).values()
        optimizer = AdapterOptimizer(list(parameters), config)
        trainer = Trainer(adapted, optimizer, workers, plan.tokens, config.seed)
        return cls(config, source, dataset, trainer, plan.recompute)

    def facts(self) -> dict[str, Any]:
        """What was decided while loading, for the metrics and results.json."""
        return {
            "processes": self.trainer.workers.world,
            "device": str(self.trainer.workers.device),
            "trained_parameters": self.trainer.optimizer.master.numel(),
            "tokens_per_microbatch": self.trainer.tokens_per_microbatch,
            "recompute": self.recompute,
        }

    def fit(self, folder: Path, metrics: Metrics, stop: StopSignal, budget: Budget) -> Outcome:
        """Train, resuming from the newest checkpoint in the folder if there is one."""
        return Fit(self.config, self.dataset, self.trainer, folder, metrics, stop, budget).run()

    def publish(
        self, paths: JobPaths, tokenizer: Any, outcome: Outcome, budget: Budget
    ) -> dict[str, Any]:
        """Write and check the artifact, on the main process only. Raises ArtifactError."""
        workers, adapted = self.trainer.workers, self.trainer.model
        if not workers.is_main:
            return {}
        publish.write_adapter(paths.model, adapted, tokenizer, self.dataset)
        checks = verify.check_files(paths.model)
        probe = self.dataset.train[0]
        checks |= verify.check_effect(adapted, paths.model, probe, workers.device)
        seconds = budget.elapsed()
        price = self.config.price_usd_per_hour
        extra = {
            "base_model": model.base_model_name(self.source, self.config),
            **self._rates(outcome),
            "checks": checks,
            "elapsed_seconds": round(seconds, 3),
            "estimated_cost_usd": None if price is None else round(price * seconds / 3600, 4),
            "facts": self.facts(),
        }
        summary = publish.results(self.config, self.dataset, outcome, extra)
        publish.write_documents(paths.model, paths, summary, self.source)
        return checks

    def _rates(self, outcome: Outcome) -> dict[str, float]:
        progress = outcome.progress
        per_token = flops_per_token(
            self.trainer.model, self.dataset.train, recompute=self.recompute
        )
        rate = per_token * progress.tokens / max(progress.train_seconds, 1e-9)
        return {"flops_per_token": per_token, "flops_per_second": rate}

    def close(self) -> None:
        """Destroy the process group."""
        self.trainer.workers.close()


def _plan(config: RunConfig, adapted: Any, workers: Workers) -> memory.MicrobatchPlan:
    on = config.gradient_checkpointing == "on"
    if workers.device.type != "cuda":
        return memory.MicrobatchPlan(config.tokens_per_microbatch or memory.CPU_TOKENS, on)
    free, _ = torch.cuda.mem_get_info(workers.device)
    plan = memory.plan_microbatch(
        free,
        adapted.get_base_model().config,
        dropout=config.dropout > 0,
        recompute=config.gradient_checkpointing,
    )
    return memory.MicrobatchPlan(config.tokens_per_microbatch or plan.tokens, plan.recompute)
