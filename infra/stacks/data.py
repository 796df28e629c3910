"""Everything that must outlive a deployment: tables, buckets, users, the alarms' topic."""

from __future__ import annotations

import re
from typing import Any

from aws_cdk import CfnOutput, Fn, Stack
from constructs import Construct

from infra.components.alarm_topic import alarm_topic
from infra.components.secure_bucket import secure_bucket
from infra.components.table import NUMBER, TableSpec, table
from infra.components.target import Target
from infra.components.user_pool import user_pool
from infra.settings import StageSettings

ACCESS_LOG_DAYS = 365  # long enough to answer "who read this" after a year

DIGEST = (
    "conversation_name",
    "batch_job_id",
    "persona_id",
    "persona_key",
    "emotional_arc_id",
    "emotional_arc_key",
    "training_topic_id",
    "training_topic_key",
    "tier",
    "turn_count",
    "simulated",
    "cost_micro_usd",
    "created_at",
    "status",
    "enrichment_status",
    "flags",
    "quality_score",
    "version",
)
"""What lists are made from (ConversationDigest); an index holds at most 20 beside its keys."""

TABLES = {
    "ScaffoldingTable": TableSpec(partition="owner_kind", sort="id"),
    "BatchJobsTable": TableSpec(partition="owner_id", sort="job_id"),
    "BatchItemsTable": TableSpec(partition="job_key", sort="position", sort_type=NUMBER),
    "BatchLogsTable": TableSpec(partition="job_key", sort="entry_id"),
    "ConversationsTable": TableSpec(
        partition="owner_id",
        sort="conversation_id",
        index_on="updated_at",
        index_holds=DIGEST,
        former_index_on="created_at",
        expires_by="expires_at",
    ),
    "ReviewAuditTable": TableSpec(partition="conversation_key", sort="entry_id"),
    "TrainingFilesTable": TableSpec(partition="owner_id", sort="file_id"),
    "DatasetsTable": TableSpec(partition="owner_id", sort="dataset_id"),
    "TrainingJobsTable": TableSpec(partition="owner_id", sort="job_id", open_by="open_bill"),
    "TrainingMetricsTable": TableSpec(partition="job_key", sort="point_id"),
    "TrainingEventsTable": TableSpec(partition="job_key", sort="event_id"),
    "ModelsTable": TableSpec(partition="owner_id", sort="model_id"),
    "CostRecordsTable": TableSpec(partition="owner_id", sort="record_id"),
    "NotificationsTable": TableSpec(partition="owner_id", sort="notification_id"),
    "GenerationLogsTable": TableSpec(partition="owner_id", sort="log_id"),
    "FailedGenerationsTable": TableSpec(partition="owner_id", sort="failure_id"),
    "IdempotencyTable": TableSpec(
        partition="owner_id", sort="idempotency_key", expires_by="expires_at"
    ),
    "BudgetsTable": TableSpec(partition="budget", sort="month"),
}
BUCKETS = (
    "ConversationFilesBucket",
    "TrainingFilesBucket",
    "DatasetsBucket",
    "BaseModelsBucket",
    "ModelsBucket",
    "BatchLogsBucket",
    "FailedGenerationFilesBucket",
)
USED_BY_PAGES = {
    "DatasetsBucket",
    "TrainingFilesBucket",
    "ModelsBucket",
    "FailedGenerationFilesBucket",
}
"""Buckets that pages read or upload to by signed links, which are the permission."""
LEFTOVERS = {"ModelsBucket": ("jobs/", 30)}
"""What SageMaker writes, checkpoints and archives, and days that no job can need it for: one waits
for a day and runs for five. An adapter is delivered under its owner's prefix, and stays."""
PAGES = "https://*.cloudfront.net"
"""The console's origin, whose name is made after the data: a stack that stays cannot name it."""


class DataStack(Stack):
    """Tables, buckets, the user pool and the alarms' topic.

    `targets` says how functions in other stacks reach each table and bucket; `user_pool_id` and
    `alarm_topic_arn` are for other stacks, too. Subscriptions made by hand outlive a deployment.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: StageSettings, **stack: Any
    ) -> None:
        super().__init__(scope, construct_id, termination_protection=True, **stack)
        self.targets: dict[str, Target] = {}
        for name, spec in TABLES.items():
            keep_former_index = settings.former_indexes == "keep"
            created = table(self, name, spec, keep_former_index=keep_former_index)
            self._publish(name, created.table_arn, created.table_name)
        access_logs = secure_bucket(
            self,
            "AccessLogsBucket",
            settings=settings,
            access_logs=None,
            expire_after_days=ACCESS_LOG_DAYS,
        )
        for name in BUCKETS:
            bucket = secure_bucket(
                self,
                name,
                settings=settings,
                access_logs=access_logs,
                pages=(PAGES, settings.allowed_origin) if name in USED_BY_PAGES else (),
                leftovers=LEFTOVERS.get(name),
            )
            self._publish(name, bucket.bucket_arn, bucket.bucket_name)
            CfnOutput(self, f"{name}Name", value=bucket.bucket_name)
        topic = alarm_topic(self, "AlarmTopic", email=settings.alarm_email)
        self.alarm_topic_arn = self.export_value(
            topic.topic_arn, name=f"{self.stack_name}:AlarmTopicArn"
        )
        CfnOutput(self, "AlarmTopicArn", value=topic.topic_arn)
        name = f"{self.stack_name}:UserPoolId"
        user_pool(self, export_name=name)
        self.user_pool_id = Fn.import_value(name)

    def _publish(self, name: str, arn: str, physical_name: str) -> None:
        """Export a resource under a readable name, so that a policy finding about it reads too."""
        self.targets[name] = Target(
            arn=self.export_value(arn, name=f"{self.stack_name}:{name}Arn"),
            variable=re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper(),
            value=self.export_value(physical_name, name=f"{self.stack_name}:{name}Name"),
        )
