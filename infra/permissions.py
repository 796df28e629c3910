"""Every permission that Bright Run's own roles hold, as data; the roles are made from this table.

A resource is written as the construct's name, and what follows the first slash narrows it to an
index, to object keys or to models: `BatchLogsBucket/*/log.txt`. No action holds a wildcard. `*` as
a whole resource stands only where the service knows no narrower one. A DynamoDB transaction needs
no action of its own: it is authorised by the item actions inside it.

tests/handlers/test_permissions_used.py runs every function and holds its grants equal to its calls.
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

# To a caller that may not list a bucket, S3 answers 403 for a missing key, as for a forbidden one.
LEARN_THAT_A_FILE_IS_MISSING = Grant(
    ("s3:ListBucket",),
    "ConversationFilesBucket",
    "be told 404 for a file that is not there; the code lists nothing",
)

ENRICH = (
    Grant(("dynamodb:PutItem",), "ConversationsTable", "record how far the enrichment came"),
    Grant(
        ("s3:GetObject", "s3:PutObject"),
        "ConversationFilesBucket/*",
        "read a conversation, store its training pairs, sign download links",
    ),
    Grant(("s3:GetObject",), "BatchLogsBucket/*/plan.json", "read what it was made from"),
)

FUNCTION_GRANTS: Mapping[str, tuple[Grant, ...]] = {
    "generate": (
        *LOGS_AND_TRACES,
        Grant(
            ("dynamodb:Query",),
            "ScaffoldingTable",
            "read the personas, arcs, topics and templates that a request names",
        ),
        Grant(
            ("dynamodb:PutItem", "dynamodb:GetItem"),
            "BatchJobsTable",
            "create the job, and find it again on a repeated request",
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
            ("dynamodb:UpdateItem", "dynamodb:Query"),
            "BatchItemsTable",
            "find queued items and expired leases, claim them, store their results",
        ),
        Grant(("dynamodb:PutItem",), "BatchLogsTable", "append to the job's log"),
        Grant(("dynamodb:PutItem",), "ConversationsTable", "store a conversation's record"),
        Grant(("dynamodb:PutItem",), "GenerationLogsTable", "record tokens and cost of each call"),
        Grant(("dynamodb:PutItem",), "FailedGenerationsTable", "record each failed call"),
        Grant(
            ("s3:GetObject", "s3:PutObject"),
            "ConversationFilesBucket/*",
            "store the raw answer before parsing, reuse it after a crash, store the conversation",
        ),
        LEARN_THAT_A_FILE_IS_MISSING,
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
        Grant(
            ("dynamodb:Query",),
            "ConversationsTable/index/by_created_at",
            "find the job's conversations that are not enriched",
        ),
        *ENRICH,
        LEARN_THAT_A_FILE_IS_MISSING,
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
            "note that a job was paused or cancelled; show the log",
        ),
        START_BATCH,
    ),
    "conversations": (
        *LOGS_AND_TRACES,
        Grant(("dynamodb:GetItem",), "ConversationsTable", "show one conversation"),
        Grant(
            ("dynamodb:Query",), "ConversationsTable/index/by_created_at", "list the newest first"
        ),
        Grant(
            ("dynamodb:PutItem", "dynamodb:Query"),
            "ReviewAuditTable",
            "write down who decided what about a conversation, in the decision's transaction",
        ),
        Grant(("dynamodb:Query",), "GenerationLogsTable", "list calls and sum their cost"),
        Grant(
            ("dynamodb:GetItem", "dynamodb:Query"),
            "FailedGenerationsTable",
            "list and show failed generations",
        ),
        *ENRICH,
        LEARN_THAT_A_FILE_IS_MISSING,
        Grant(("s3:GetObject",), "FailedGenerationFilesBucket/*", "sign links to failure reports"),
    ),
    "training_files": (
        *LOGS_AND_TRACES,
        Grant(
            ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"),
            "TrainingFilesTable",
            "list and show training files, make them and their next versions",
        ),
        Grant(("dynamodb:GetItem",), "ConversationsTable", "see whether a conversation may go in"),
        Grant(("s3:GetObject",), "ConversationFilesBucket/*", "read a conversation's pairs"),
        Grant(
            ("s3:GetObject", "s3:PutObject"),
            "TrainingFilesBucket/*",
            "store a version, build the next one on it, sign download links",
        ),
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

# The models of reference_data/claude_models.json as Amazon Bedrock names them.
BEDROCK_MODELS = (
    "anthropic.claude-sonnet-5-5",
    "anthropic.claude-haiku-5-5",
    "anthropic.claude-opus-5-5",
    "anthropic.claude-sonnet-5",
    "anthropic.claude-haiku-4-5-20251001-v1:0",
    "anthropic.claude-sonnet-4-5-20250929-v1:0",
)

# What process_next holds besides, where the parameter ClaudeProvider names the provider. A global
# inference profile runs a model where there is room; AWS authorises the call three times over, on
# the profile, on the model in the caller's region, and on the model without a region.
PROVIDER_GRANTS: Mapping[str, tuple[Grant, ...]] = {
    "aws": (
        Grant(
            ("aws-external-anthropic:CreateInference",),
            "ClaudeWorkspace",
            "call Claude in one workspace of Claude Platform on AWS",
        ),
    ),
    "bedrock": tuple(
        Grant(("bedrock:InvokeModel",), f"{place}{model}", why)
        for model in BEDROCK_MODELS
        for place, why in (
            ("BedrockProfiles/global.", "call Claude by its global inference profile"),
            ("BedrockModels/", "let the profile use the model in this region"),
            ("BedrockModelsOfAnyRegion/", "let the profile use the model where it has room"),
        )
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
