"""An alarm here: one failure in five minutes is enough; no data means nothing happened."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct


def failure_alarm(
    scope: Construct, construct_id: str, *, metric: cloudwatch.Metric, description: str
) -> cloudwatch.Alarm:
    """Raise an alarm at the first failure that `metric` counts; `description` says what to do."""
    return cloudwatch.Alarm(
        scope,
        construct_id,
        metric=metric,
        threshold=1,
        evaluation_periods=1,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        alarm_description=description,
    )
