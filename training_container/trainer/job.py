"""One training process: read the job, load data and model, train, check, publish."""

from __future__ import annotations

from typing import Any

from training_container.trainer.chat import chat_format
from training_container.trainer.contract import JobPaths, load_config
from training_container.trainer.dataset import load_dataset
from training_container.trainer.gpu import require_gpu
from training_container.trainer.metrics import open_metrics
from training_container.trainer.model import load_tokenizer, model_source
from training_container.trainer.stopping import Budget, StopSignal


def run(paths: JobPaths, stop: StopSignal, rank: int, started: float) -> None:
    """Train one adapter and publish it. Raises TrainingError."""
    require_gpu(paths.environment)
    metrics = open_metrics(paths.checkpoints, paths.output_data, is_main=rank == 0)
    metrics.stage("loading", part="dataset")
    config = load_config(paths)
    budget = Budget(config, started)
    source = model_source(paths, config)
    tokenizer = load_tokenizer(source)
    chat = chat_format(tokenizer, config.template_variables, config.template_date)
    dataset = load_dataset(paths, config, chat)
    metrics.record("dataset", total_steps=len(dataset.steps), **dataset.summary())
    stop.check()

    metrics.stage("loading", part="model")
    from training_container.trainer.session import Session

    session = Session.open(config, source, dataset)
    metrics.stage("training", **session.facts())
    outcome = session.fit(paths.checkpoints, metrics, stop, budget)

    metrics.stage("saving")
    checks: dict[str, Any] = session.publish(paths, tokenizer, outcome, budget)
    metrics.stage("done", status=outcome.reason.status, **checks)
    session.close()
