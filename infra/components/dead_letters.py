"""Where an event goes that EventBridge could not deliver or a function failed to handle."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.components.alarm import alarm
from infra.components.target import Target

KEPT_DAYS = 14  # the longest that SQS allows


def dead_letters(scope: Construct) -> tuple[sqs.Queue, Target]:
    """Create the stack's queue and the alarm at its first event; the target is for the grants."""
    queue = sqs.Queue(
        scope,
        "DeadLetters",
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=Duration.days(KEPT_DAYS),
    )
    alarm(
        scope,
        "DeadLetterAlarm",
        metric=queue.metric_approximate_number_of_messages_visible(statistic="Maximum"),
        description="An event was given up; the queue has it, to be sent again",
        runbook="dead_letters",
    )
    return queue, Target(queue.queue_arn)
