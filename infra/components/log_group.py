"""A log group here: kept for the stage's retention period, and kept when its stack is deleted."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.settings import StageSettings

RETENTION = {
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
}


def log_group(scope: Construct, settings: StageSettings) -> logs.LogGroup:
    """Create the log group of the component that is `scope`."""
    return logs.LogGroup(
        scope,
        "LogGroup",
        retention=RETENTION[settings.log_retention_days],
        removal_policy=RemovalPolicy.RETAIN,
    )
