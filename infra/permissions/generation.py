"""What the functions that write, review and combine conversations may do."""

from __future__ import annotations

from collections.abc import Mapping

from infra.permissions.grant import (
    KEEP_FAILED_EVENTS,
    LOGS_AND_TRACES,
    Grant,
    learn_that_a_file_is_missing,
)
from infra.permissions.spending import CLOSE_BUDGET, RESERVE_BUDGET

START_BATCH = Grant(
    ("states:StartExecution",), "GenerateBatchStateMachine", "start or restart the batch workflow"
)

ENRICH = (
    Grant(("dynamodb:PutItem",), "ConversationsTable", "record how far the enrichment came"),
    Grant(
        ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
        "ConversationFilesBucket/*",
        "read a conversation, store its training pairs or remove what lost, sign download links",
    ),
    Grant(("s3:GetObject",), "BatchLogsBucket/*/plan.json", "read what it was made from"),
    learn_that_a_file_is_missing("BatchLogsBucket"),
)

READ_SELECTED = (
    Grant(("dynamodb:GetItem",), "ConversationsTable", "see whether a conversation may go in"),
    Grant(("s3:GetObject",), "ConversationFilesBucket/*", "read a conversation's pairs"),
    learn_that_a_file_is_missing("ConversationFilesBucket"),
)

SWEPT = ("ConversationFilesBucket", "DatasetsBucket", "TrainingFilesBucket")

GENERATION_GRANTS: Mapping[str, tuple[Grant, ...]] = {
    "generate": (
        *LOGS_AND_TRACES,
        Grant(
            ("dynamodb:Query",),
            "ScaffoldingTable",
            "read the personas, arcs, topics and templates that a request names",
        ),
        Grant(
            ("dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:Query"),
            "BatchJobsTable",
            "create the job, find it again on a repeated request, and quote it by earlier ones",
        ),
        Grant(("dynamodb:BatchWriteItem",), "BatchItemsTable", "create the job's items"),
        Grant(("dynamodb:GetItem",), "ConversationsTable", "see what is to be judged"),
        Grant(
            ("dynamodb:PutItem", "dynamodb:GetItem"),
            "IdempotencyTable",
            "answer a repeated Idempotency-Key with the first answer",
        ),
        Grant(("s3:PutObject",), "BatchLogsBucket/*/plan.json", "store the job's plan"),
        RESERVE_BUDGET,
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
        Grant(
            ("dynamodb:PutItem", "dynamodb:GetItem"),
            "ConversationsTable",
            "store a conversation's record; read one that is to be judged",
        ),
        Grant(
            ("dynamodb:BatchWriteItem",),
            "GenerationLogsTable",
            "record tokens and cost of each call",
        ),
        Grant(("dynamodb:PutItem",), "FailedGenerationsTable", "record each failed call"),
        Grant(
            ("dynamodb:PutItem", "dynamodb:GetItem"),
            "IdempotencyTable",
            "remember where the answer to a request lies, and find it for a batch that reuses it",
        ),
        Grant(
            ("dynamodb:UpdateItem", "dynamodb:Query", "dynamodb:DeleteItem"),
            "IdempotencyTable",
            "share the calls to Claude with the other workers that run",
        ),
        Grant(
            ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
            "ConversationFilesBucket/*",
            "store the raw answer before parsing, reuse it after a crash, store the conversation; "
            "remove what lost",
        ),
        learn_that_a_file_is_missing("ConversationFilesBucket"),
        Grant(("s3:PutObject",), "FailedGenerationFilesBucket/*", "store a failure's report"),
        Grant(("s3:GetObject",), "BatchLogsBucket/*/plan.json", "read the job's plan"),
        learn_that_a_file_is_missing("BatchLogsBucket"),
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
            "ConversationsTable/index/by_updated_at",
            "find the job's conversations that are not enriched",
        ),
        Grant(
            ("dynamodb:GetItem", "dynamodb:BatchGetItem"),
            "ConversationsTable",
            "read them, and see what a row points to",
        ),
        *ENRICH,
        learn_that_a_file_is_missing("ConversationFilesBucket"),
        CLOSE_BUDGET,
        START_BATCH,
    ),
    "sweep_objects": (
        *LOGS_AND_TRACES,
        KEEP_FAILED_EVENTS,
        *(
            Grant(("dynamodb:GetItem",), table, "see what a row points to")
            for table in ("ConversationsTable", "DatasetsTable", "TrainingFilesTable")
        ),
        *(Grant(("s3:ListBucket",), bucket, "find the objects") for bucket in SWEPT),
        *(
            Grant(("s3:DeleteObject",), f"{bucket}/*", "remove those that no row points to")
            for bucket in SWEPT
        ),
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
        Grant(
            ("dynamodb:PutItem", "dynamodb:GetItem"),
            "IdempotencyTable",
            "reserve the conversations of a judgement job that is retried",
        ),
        RESERVE_BUDGET,
        START_BATCH,
    ),
    "conversations": (
        *LOGS_AND_TRACES,
        Grant(
            ("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:DeleteItem"),
            "ConversationsTable",
            "show one conversation or a page of them, delete one",
        ),
        Grant(
            ("dynamodb:Query",),
            "ConversationsTable/index/by_updated_at",
            "read what changed since the last list",
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
        Grant(
            ("dynamodb:Query",),
            "ScaffoldingTable",
            "find the personas, arcs and topics whose keys an imported file names",
        ),
        *ENRICH,
        Grant(
            ("s3:ListBucket",),
            "ConversationFilesBucket",
            "find all objects of a conversation that is deleted; get 404 for a missing file",
        ),
        Grant(("s3:GetObject",), "FailedGenerationFilesBucket/*", "sign links to failure reports"),
    ),
    "training_files": (
        *LOGS_AND_TRACES,
        Grant(
            ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem"),
            "TrainingFilesTable",
            "list and show training files, make them and their next versions",
        ),
        *READ_SELECTED,
        Grant(
            ("dynamodb:Query",),
            "ConversationsTable/index/by_updated_at",
            "find what a filter selects",
        ),
        Grant(
            ("dynamodb:PutItem", "dynamodb:GetItem"),
            "IdempotencyTable",
            "answer a repeated Idempotency-Key with the first answer",
        ),
        Grant(
            ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
            "TrainingFilesBucket/*",
            "store a version or remove what lost, build the next one on it, sign download links",
        ),
        learn_that_a_file_is_missing("TrainingFilesBucket"),
        Grant(
            ("states:StartExecution",),
            "BuildTrainingFileStateMachine",
            "have a large version built in the background",
        ),
    ),
    "build_training_file": (
        *LOGS_AND_TRACES,
        Grant(
            ("dynamodb:GetItem", "dynamodb:UpdateItem"),
            "TrainingFilesTable",
            "see how far the build is, and store how far it is now, or the version",
        ),
        *READ_SELECTED,
        Grant(
            ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"),
            "TrainingFilesBucket/*",
            "write a version in parts after the one before, and remove what a build kept or lost",
        ),
        Grant(
            ("s3:ListBucket", "s3:ListBucketMultipartUploads"),
            "TrainingFilesBucket",
            "find what a build kept, and uploads that it began and forgot",
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
