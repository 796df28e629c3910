"""Synthesizes Bright Run into cdk.out: settings, stacks, policy. No network, no git, no Docker."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from aws_cdk import App, Environment, Tags

from infra.bundling import sizes
from infra.components.alarm import send_alarms
from infra.policy import acknowledge, enforce_policy
from infra.settings import StageSettings
from infra.stacks.api import ApiStack
from infra.stacks.console import ConsoleStack
from infra.stacks.data import DataStack
from infra.stacks.datasets import DatasetsStack
from infra.stacks.training import TrainingStack
from infra.stacks.workflows import WorkflowsStack

ROOT = Path(__file__).resolve().parent.parent


def build_app(outdir: str, **given: str) -> App:
    """Return the app with its stacks, ready to synthesize into `outdir`.

    `given` is context as `-c` of the CDK command line gives it. cdk.json's context is read here
    too, so the templates are the same without that command line.
    """
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = App(outdir=outdir, context={**context, **given}, analytics_reporting=False)
    settings = StageSettings.from_context(app.node.try_get_context)
    _add_stacks(app, settings)
    Tags.of(app).add("application", "brightrun")
    Tags.of(app).add("stage", settings.stage)
    enforce_policy(app)
    acknowledge(app, settings)
    return app


def _add_stacks(app: App, settings: StageSettings) -> None:
    """Construct ids, and so the names on the command line, are the same in every stage."""
    env = Environment(account=settings.account or None, region=settings.region)

    def common(construct_id: str) -> dict[str, Any]:
        name = settings.named(construct_id)
        return {"scope": app, "construct_id": construct_id, "stack_name": name, "env": env}

    console = ConsoleStack(**common("BrightRunConsole"))
    data = DataStack(**common("BrightRunData"), settings=settings)
    shared: dict[str, Any] = {"settings": settings, "data": data}
    workflows = WorkflowsStack(**common("BrightRunWorkflows"), **shared)
    datasets = DatasetsStack(**common("BrightRunDatasets"), **shared)
    training = TrainingStack(**common("BrightRunTraining"), **shared)
    ApiStack(
        **common("BrightRunApi"),
        **shared,
        console=console,
        workflows=workflows,
        datasets=datasets,
        training=training,
    )
    send_alarms(app, data.alarm_topic_arn)


if __name__ == "__main__":
    build_app(os.environ.get("CDK_OUTDIR", str(ROOT / "cdk.out"))).synth()
    sys.stdout.write(f"{sizes()}\n")
