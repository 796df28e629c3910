"""What the functions that take in, validate and show datasets, and the notifications may do."""

from __future__ import annotations

from collections.abc import Mapping

from infra.permissions.grant import LOGS_AND_TRACES, Grant, learn_that_a_file_is_missing

DATASETS_GRANTS: Mapping[str, tuple[Grant, ...]] = {
    "datasets": (
        *LOGS_AND_TRACES,
        Grant(
            (
                "dynamodb:GetItem",
                "dynamodb:Query",
                "dynamodb:PutItem",
                "dynamodb:UpdateItem",
                "dynamodb:DeleteItem",
            ),
            "DatasetsTable",
            "list, show, make, confirm and delete datasets, with their claims",
        ),
        Grant(
            ("dynamodb:GetItem", "dynamodb:UpdateItem"),
            "TrainingFilesTable",
            "see what is imported, and note in the same transaction that it is or no longer is",
        ),
        Grant(
            (
                "s3:GetObject",
                "s3:PutObject",
                "s3:DeleteObject",
                "s3:ListMultipartUploadParts",
                "s3:AbortMultipartUpload",
            ),
            "DatasetsBucket/*",
            "sign upload and report links, check what arrived, copy imports, delete datasets",
        ),
        Grant(
            ("s3:ListBucket",),
            "DatasetsBucket",
            "find all objects of a dataset to delete, and get 404 for a file that is missing",
        ),
        Grant(("s3:GetObject",), "TrainingFilesBucket/*", "copy the version that is imported"),
        learn_that_a_file_is_missing("TrainingFilesBucket"),
        Grant(
            ("states:StartExecution",), "ValidateDatasetStateMachine", "have a dataset validated"
        ),
    ),
    "validate_dataset": (
        *LOGS_AND_TRACES,
        Grant(
            ("dynamodb:GetItem", "dynamodb:UpdateItem"),
            "DatasetsTable",
            "see whether the dataset waits for this run, and store its outcome",
        ),
        Grant(
            ("dynamodb:PutItem",),
            "NotificationsTable",
            "tell the owner in the transaction that stores the outcome",
        ),
        Grant(("s3:GetObject",), "DatasetsBucket/*", "read the file once"),
        Grant(
            ("s3:PutObject",),
            "DatasetsBucket/*/_validation/*",
            "store the report and the split",
        ),
        Grant(
            ("s3:DeleteObject",),
            "DatasetsBucket/*",
            "leave nothing of a dataset that was deleted while it was being validated",
        ),
        Grant(
            ("s3:ListBucket",),
            "DatasetsBucket",
            "find what is left of such a dataset, and get 404 for a file that is gone",
        ),
    ),
    "notifications": (
        *LOGS_AND_TRACES,
        Grant(
            ("dynamodb:Query", "dynamodb:UpdateItem"),
            "NotificationsTable",
            "list and count notifications, mark them as read",
        ),
    ),
}
