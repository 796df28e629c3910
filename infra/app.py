"""Synthesizes Bright Run into cdk.out: settings, stacks, policy. No network, no git, no Docker."""

from __future__ import annotations

import json
import os
from pathlib import Path

from aws_cdk import App, Environment, Tags

from infra.policy import acknowledge, enforce_policy
from infra.settings import StageSettings
from infra.stacks.api import ApiStack
from infra.stacks.data import DataStack
from infra.stacks.datasets import DatasetsStack
from infra.stacks.training import TrainingStack
from infra.stacks.workflows import WorkflowsStack

ROOT = Path(__file__).resolve().parent.parent


def build_app(outdir: str) -> App:
    """Return the app with its stacks, ready to synthesize into `outdir`.

    cdk.json's context is read here too, so the templates are the same without the CDK command line.
    """
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = App(outdir=outdir, context=context, analytics_reporting=False)
    settings = StageSettings.from_context(app.node.try_get_context)
    env = Environment(region=settings.region)
    data = DataStack(app, "BrightRunData", settings=settings, env=env)
    workflows = WorkflowsStack(app, "BrightRunWorkflows", settings=settings, data=data, env=env)
    datasets = DatasetsStack(app, "BrightRunDatasets", settings=settings, data=data, env=env)
    training = TrainingStack(app, "BrightRunTraining", settings=settings, data=data, env=env)
    ApiStack(
        app,
        "BrightRunApi",
        settings=settings,
        data=data,
        workflows=workflows,
        datasets=datasets,
        training=training,
        env=env,
    )
    Tags.of(app).add("application", "brightrun")
    Tags.of(app).add("stage", settings.stage)
    enforce_policy(app)
    acknowledge(app)
    return app


if __name__ == "__main__":
    build_app(os.environ.get("CDK_OUTDIR", str(ROOT / "cdk.out"))).synth()
