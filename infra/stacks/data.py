"""Everything that must outlive a deployment: tables, buckets, and how others reach them."""

from __future__ import annotations

import re
from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.components.secure_bucket import secure_bucket
from infra.components.table import NUMBER, TableSpec, table
from infra.components.target import Target
from infra.settings import StageSettings

ACCESS_LOG_DAYS = 365  # long enough to answer "who read this" after a year

TABLES = {
    "ScaffoldingTable": TableSpec(partition="owner_kind", sort="id"),
    "BatchJobsTable": TableSpec(partition="owner_id", sort="job_id"),
    "BatchItemsTable": TableSpec(partition="job_key", sort="position", sort_type=NUMBER),
    "BatchLogsTable": TableSpec(partition="job_key", sort="entry_id"),
    "ConversationsTable": TableSpec(
        partition="owner_id", sort="conversation_id", index_on="created_at"
    ),
    "ReviewAuditTable": TableSpec(partition="conversation_key", sort="entry_id"),
    "TrainingFilesTable": TableSpec(partition="owner_id", sort="file_id"),
    "DatasetsTable": TableSpec(partition="owner_id", sort="dataset_id"),
    "TrainingJobsTable": TableSpec(partition="owner_id", sort="job_id"),
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


class DataStack(Stack):
    """Tables and buckets; `targets` says how functions in other stacks reach each of them."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: StageSettings, **stack: Any
    ) -> None:
        super().__init__(scope, construct_id, termination_protection=True, **stack)
        self.targets: dict[str, Target] = {}
        for name, spec in TABLES.items():
            created = table(self, name, spec)
            self._publish(name, created.table_arn, created.table_name)
        access_logs = secure_bucket(
            self,
            "AccessLogsBucket",
            settings=settings,
            access_logs=None,
            expire_after_days=ACCESS_LOG_DAYS,
        )
        for name in BUCKETS:
            bucket = secure_bucket(self, name, settings=settings, access_logs=access_logs)
            self._publish(name, bucket.bucket_arn, bucket.bucket_name)
            CfnOutput(self, f"{name}Name", value=bucket.bucket_name)

    def _publish(self, name: str, arn: str, physical_name: str) -> None:
        """Export a resource under a readable name, so that a policy finding about it reads too."""
        self.targets[name] = Target(
            arn=self.export_value(arn, name=f"{self.stack_name}:{name}Arn"),
            variable=re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper(),
            value=self.export_value(physical_name, name=f"{self.stack_name}:{name}Name"),
        )
