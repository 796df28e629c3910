"""Every permission that Bright Run's own roles hold, as data; the roles are made from this table.

A resource is written as the construct's name, and what follows the first slash narrows it to an
index or to object keys: `BatchLogsBucket/*/log.txt`. No action holds a wildcard. `*` as a whole
resource stands only where the service knows no narrower one. A DynamoDB transaction needs no action
of its own: it is authorised by the item actions inside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Grant(NamedTuple):
    """IAM actions allowed on one resource, and what the code needs them for."""

    actions: tuple[str, ...]
    resource: str
    why: str

    @property
    def target(self) -> str:
        """The name of the resource without the index or the object keys."""
        return self.resource.partition("/")[0]


LOGS_AND_TRACES = (
    Grant(("logs:CreateLogStream", "logs:PutLogEvents"), "OwnLogGroup", "write its own log"),
    Grant(
        ("xray:PutTraceSegments", "xray:PutTelemetryRecords"),
        "*",
        "send traces; X-Ray has no resources to name",
    ),
)

START_BATCH = Grant(
    ("states:StartExecution",), "GenerateBatchStateMachine", "start or restart the batch workflow"
)

FUNCTION_GRANTS: Mapping[str, tuple[Grant, ...]] = {
    "generate": (
        *LOGS_AND_TRACES,
        Grant(
            ("dynamodb:GetItem", "dynamodb:Query"),
            "ScaffoldingTable",
            "read the personas, arcs, topics and templates that a request names",
        ),
        Grant(
            ("dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:UpdateItem"),
            "BatchJobsTable",
            "create the job, find it again on a repeated request, mark it started",
        ),
        Grant(("dynamodb:BatchWriteItem",), "BatchItemsTable", "create the job's items"),
        Grant(
            ("dynamodb:PutItem", "dynamodb:GetItem"),
            "IdempotencyTable",
            "answer a repeated Idempotency-Key with the first answer",
        ),
        Grant(("s3:PutObject",), "BatchLogsBucket/*/plan.json", "store the job's plan"),
        START_BATCH,
    ),
    "process_next": (
        *LOGS_AND_TRACES,
        Grant(
            ("dynamodb:GetItem", "dynamodb:UpdateItem"),
            "BatchJobsTable",
            "read the job's state and count each result in the item's transaction",
        ),
        Grant(
            ("dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:Query"),
            "BatchItemsTable",
            "find queued items and expired leases, claim them, store their results",
        ),
        Grant(
            ("dynamodb:PutItem", "dynamodb:BatchWriteItem"),
            "BatchLogsTable",
            "append to the job's log",
        ),
        Grant(("dynamodb:PutItem",), "ConversationsTable", "store a conversation's record"),
        Grant(("dynamodb:PutItem",), "GenerationLogsTable", "record tokens and cost of each call"),
        Grant(("dynamodb:PutItem",), "FailedGenerationsTable", "record each failed call"),
        Grant(
            ("s3:GetObject", "s3:PutObject"),
            "ConversationFilesBucket/*",
            "store the raw answer before parsing, reuse it after a crash, store the conversation",
        ),
        Grant(("s3:PutObject",), "FailedGenerationFilesBucket/*", "store a failure's report"),
        Grant(("s3:GetObject",), "BatchLogsBucket/*/plan.json", "read the job's plan"),
        Grant(("secretsmanager:GetSecretValue",), "ClaudeApiKeySecret", "call Claude by API key"),
    ),
    "finish_batch": (
        *LOGS_AND_TRACES,
        Grant(
            ("dynamodb:GetItem", "dynamodb:UpdateItem"), "BatchJobsTable", "set the final status"
        ),
        Grant(
            ("dynamodb:Query", "dynamodb:UpdateItem"),
            "BatchItemsTable",
            "see whether items are left and cancel those of a stopped job",
        ),
        Grant(
            ("dynamodb:PutItem", "dynamodb:Query"),
            "BatchLogsTable",
            "write the last line and read the log in order",
        ),
        Grant(("s3:PutObject",), "BatchLogsBucket/*/log.txt", "store the log as one file"),
        START_BATCH,
    ),
    "batch_jobs": (
        *LOGS_AND_TRACES,
        Grant(
            ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"),
            "BatchJobsTable",
            "list and show jobs; pause, resume and cancel them",
        ),
        Grant(
            ("dynamodb:Query", "dynamodb:UpdateItem"),
            "BatchItemsTable",
            "list items; cancel or requeue them",
        ),
        Grant(
            ("dynamodb:PutItem", "dynamodb:Query"),
            "BatchLogsTable",
            "note who paused or cancelled; show the log of a running job",
        ),
        Grant(("s3:GetObject",), "BatchLogsBucket/*/log.txt", "show the log of a finished job"),
        START_BATCH,
    ),
    "conversations": (
        *LOGS_AND_TRACES,
        Grant(
            ("dynamodb:GetItem", "dynamodb:Query"),
            "ConversationsTable",
            "show one conversation and list by key",
        ),
        Grant(
            ("dynamodb:Query",), "ConversationsTable/index/by_created_at", "list the newest first"
        ),
        Grant(("dynamodb:Query",), "GenerationLogsTable", "list calls and sum their cost"),
        Grant(
            ("dynamodb:GetItem", "dynamodb:Query"),
            "FailedGenerationsTable",
            "list and show failed generations",
        ),
        Grant(("s3:GetObject",), "ConversationFilesBucket/*", "show turns and sign download links"),
        Grant(("s3:GetObject",), "FailedGenerationFilesBucket/*", "sign links to failure reports"),
    ),
    "scaffolding": (
        *LOGS_AND_TRACES,
        Grant(
            ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"),
            "ScaffoldingTable",
            "list, show, create, edit and deactivate personas, arcs, topics and templates",
        ),
    ),
}

# AWS documents the last two as the whole minimum for logging and tracing of a state machine:
# "Logging using CloudWatch Logs" and "Tracing with X-Ray" in the Step Functions developer guide.
STATE_MACHINE_GRANTS: Mapping[str, tuple[Grant, ...]] = {
    "generate_batch": (
        Grant(("lambda:InvokeFunction",), "ProcessNextFunction", "write the next conversations"),
        Grant(("lambda:InvokeFunction",), "FinishBatchFunction", "close the job or start again"),
        Grant(
            (
                "logs:CreateLogDelivery",
                "logs:GetLogDelivery",
                "logs:UpdateLogDelivery",
                "logs:DeleteLogDelivery",
                "logs:ListLogDeliveries",
                "logs:PutResourcePolicy",
                "logs:DescribeResourcePolicies",
                "logs:DescribeLogGroups",
            ),
            "*",
            "deliver execution logs; log delivery has no resources to name",
        ),
        Grant(
            (
                "xray:PutTraceSegments",
                "xray:PutTelemetryRecords",
                "xray:GetSamplingRules",
                "xray:GetSamplingTargets",
            ),
            "*",
            "send traces; X-Ray has no resources to name",
        ),
    ),
}
