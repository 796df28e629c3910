"""An alarm here: it names its runbook, and reaches the deployment's one topic."""

from __future__ import annotations

from aws_cdk import App, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

RUNBOOKS = "docs/runbooks"


def alarm(
    scope: Construct,
    construct_id: str,
    *,
    metric: cloudwatch.IMetric,
    description: str,
    runbook: str,
    threshold: float = 1,
    periods: int = 1,
) -> cloudwatch.Alarm:
    """Raise an alarm when `metric` has reached the threshold in each of that many periods.

    By default the first failure in five minutes is enough; no data means that nothing happened.
    `runbook` is the name of a page in RUNBOOKS, which the description ends with.
    """
    return cloudwatch.Alarm(
        scope,
        construct_id,
        metric=metric,
        threshold=threshold,
        evaluation_periods=periods,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        alarm_description=f"{description}. {RUNBOOKS}/{runbook}.md",
    )


def send_alarms(app: App, topic_arn: str) -> None:
    """Let every alarm of the app tell the topic when it rings and when it is over.

    In one place, for all that there are: an alarm that tells nobody cannot be made.
    """
    for construct in app.node.find_all():
        if isinstance(construct, cloudwatch.CfnAlarm):
            construct.alarm_actions = [topic_arn]
            construct.ok_actions = [topic_arn]


def business_metric(
    stage: str,
    function: str,
    name: str,
    *,
    statistic: str = "Sum",
    period: Duration | None = None,
    label: str | None = None,
) -> cloudwatch.Metric:
    """A metric of brightrun.core.metrics as a function publishes it; five minutes by default."""
    return cloudwatch.Metric(
        namespace=metric_namespace(stage),
        metric_name=name,
        dimensions_map={"service": function},
        statistic=statistic,
        period=period or Duration.minutes(5),
        label=label,
    )


def metric_namespace(stage: str) -> str:
    """The namespace of a stage's business metrics."""
    return f"BrightRun/{stage}"
