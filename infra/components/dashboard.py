"""The dashboard: what an operator looks at first, from business metrics and those of AWS."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.components.alarm import business_metric

WRITER, BATCHES, TRAINER, WATCH = (
    "process_next",
    "finish_batch",
    "finish_training",
    "watch_training",
)
# A widget's title, its metrics as (function, metric, statistic), and the unit of its axis.
BUSINESS: Mapping[str, tuple[tuple[tuple[str, str, str], ...], str]] = {
    "Batches and conversations": (
        (
            (BATCHES, "BatchesCompleted", "Sum"),
            (BATCHES, "BatchesFailed", "Sum"),
            (BATCHES, "ConversationsWritten", "Sum"),
            (BATCHES, "UnfinishedRounds", "Maximum"),
        ),
        "",
    ),
    "Claude: calls": (
        (
            (WRITER, "ClaudeCalls", "Sum"),
            (WRITER, "ClaudeFailures", "Sum"),
            (WRITER, "ClaudeThrottled", "Sum"),
        ),
        "",
    ),
    "Claude: latency": (
        ((WRITER, "ClaudeLatency", "p50"), (WRITER, "ClaudeLatency", "p99")),
        "ms",
    ),
    "Claude: tokens": (
        ((WRITER, "ClaudeInputTokens", "Sum"), (WRITER, "ClaudeOutputTokens", "Sum")),
        "",
    ),
    "Spend": (
        ((WRITER, "ClaudeCost", "Sum"), (TRAINER, "TrainingCost", "Sum")),
        "US dollars",
    ),
    "Training jobs": (
        (
            (TRAINER, "TrainingJobsCompleted", "Sum"),
            (TRAINER, "TrainingJobsFailed", "Sum"),
            (WATCH, "GpuUtilization", "Average"),
        ),
        "",
    ),
}


def dashboard(scope: Construct, *, stage: str, api: apigatewayv2.HttpApi) -> cloudwatch.Dashboard:
    """Create the dashboard, named by CloudFormation; the last three hours at first."""
    shown = cloudwatch.Dashboard(scope, "Dashboard")
    widgets = [
        _graph(
            title,
            [
                business_metric(
                    stage, function, name, statistic=statistic, label=_label(name, statistic)
                )
                for function, name, statistic in metrics
            ],
            unit,
        )
        for title, (metrics, unit) in BUSINESS.items()
    ]
    widgets += [
        _graph(
            "API: requests",
            [api.metric_count(), api.metric_client_error(), api.metric_server_error()],
        ),
        _graph("API: latency", [api.metric_latency(statistic=p) for p in ("p50", "p99")], "ms"),
        _graph(
            "Lambda: concurrency, errors, throttles",
            [
                lambda_.Function.metric_all_concurrent_executions(),
                lambda_.Function.metric_all_errors(),
                lambda_.Function.metric_all_throttles(),
            ],
        ),
    ]
    for three in range(0, len(widgets), 3):
        shown.add_widgets(*widgets[three : three + 3])
    return shown


def _graph(title: str, metrics: list[cloudwatch.Metric], unit: str = "") -> cloudwatch.GraphWidget:
    axis = cloudwatch.YAxisProps(label=unit, min=0, show_units=False)
    return cloudwatch.GraphWidget(title=title, left=[*metrics], left_y_axis=axis, width=8)


def _label(name: str, statistic: str) -> str:
    return f"{name} {statistic}" if statistic.startswith("p") else name
