"""What the functions that estimate, train and deliver may do."""

from __future__ import annotations

from collections.abc import Mapping

from infra.permissions.grant import LOGS_AND_TRACES, Grant, learn_that_a_file_is_missing
from infra.permissions.spending import RESERVE_BUDGET

RENDER_A_DATASET = (
    Grant(("s3:GetObject",), "DatasetsBucket/*", "read a dataset and its split for a receipt"),
    learn_that_a_file_is_missing("DatasetsBucket"),
    learn_that_a_file_is_missing("BaseModelsBucket"),
    Grant(("s3:GetObject",), "BaseModelsBucket/*/tokenizer*", "read a base model's tokenizer"),
    Grant(("s3:GetObject",), "BaseModelsBucket/*/chat_template.jinja", "read its template"),
)
"""What it takes to render a dataset with a base model's tokenizer, as training will."""

TRAINING_GRANTS: Mapping[str, tuple[Grant, ...]] = {
    "estimate": (
        *LOGS_AND_TRACES,
        Grant(("dynamodb:GetItem",), "DatasetsTable", "read the dataset that is asked about"),
        Grant(
            ("dynamodb:Query",), "TrainingJobsTable", "learn from what the owner's jobs have taken"
        ),
        *RENDER_A_DATASET,
    ),
    "jobs": (
        *LOGS_AND_TRACES,
        *RENDER_A_DATASET,
        Grant(
            ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"),
            "TrainingJobsTable",
            "list and show jobs; make them, cancel them",
        ),
        Grant(
            ("dynamodb:GetItem", "dynamodb:UpdateItem"),
            "DatasetsTable",
            "read the dataset to train on, and count the job on it in the job's transaction",
        ),
        Grant(("dynamodb:Query",), "TrainingMetricsTable", "show a job's curves"),
        Grant(
            ("dynamodb:PutItem", "dynamodb:Query"),
            "TrainingEventsTable",
            "write down that a job was queued or cancelled; list what happened to it",
        ),
        Grant(
            ("dynamodb:PutItem", "dynamodb:GetItem"),
            "CostRecordsTable",
            "close the bill of a job that was cancelled before it began; show a job's record",
        ),
        Grant(
            ("dynamodb:PutItem",),
            "NotificationsTable",
            "tell the owner in the job's own transaction",
        ),
        Grant(
            ("dynamodb:PutItem", "dynamodb:GetItem"),
            "IdempotencyTable",
            "answer a repeated Idempotency-Key with the first answer",
        ),
        RESERVE_BUDGET,
        Grant(("sagemaker:StopTrainingJob",), "TrainingJobs/brightrun-*", "stop what is cancelled"),
        Grant(
            ("servicequotas:GetServiceQuota",),
            "*",
            "see whether the account may run a job's instances; quotas are read without a resource",
        ),
        Grant(
            ("states:StartExecution",), "TrainAdapterStateMachine", "start the training workflow"
        ),
    ),
    "models": (
        *LOGS_AND_TRACES,
        Grant(("dynamodb:GetItem", "dynamodb:Query"), "ModelsTable", "list and show adapters"),
        Grant(("s3:GetObject",), "ModelsBucket/*", "sign links to an adapter's files"),
    ),
    "costs": (
        *LOGS_AND_TRACES,
        Grant(("dynamodb:Query",), "CostRecordsTable", "add up what training has cost"),
        Grant(("dynamodb:Query",), "BatchJobsTable", "add up what batches have spent on Claude"),
        Grant(("dynamodb:GetItem",), "BudgetsTable", "show what may be spent, and what is left"),
    ),
}
