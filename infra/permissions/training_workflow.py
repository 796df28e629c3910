"""What the functions of the state machine TrainAdapter may do, and what SageMaker itself may."""

from __future__ import annotations

from collections.abc import Mapping

from infra.permissions.grant import (
    KEEP_FAILED_EVENTS,
    LOGS_AND_TRACES,
    Grant,
    learn_that_a_file_is_missing,
)
from infra.permissions.spending import CLOSE_BUDGET
from infra.permissions.training import RENDER_A_DATASET

TRAINING_JOBS = "TrainingJobs/brightrun-*"
"""SageMaker's training jobs, by the beginning of the names that this system gives."""

TELL_WHAT_HAPPENED = Grant(
    ("dynamodb:PutItem",), "TrainingEventsTable", "write down what happens to a job"
)
KEEP_THE_ROW = Grant(
    ("dynamodb:GetItem", "dynamodb:PutItem"), "TrainingJobsTable", "read and replace a job's row"
)
HAND_OVER = Grant(
    ("states:StartExecution",), "TrainAdapterStateMachine", "go on in a new execution"
)

TRAINING_WORKFLOW_GRANTS: Mapping[str, tuple[Grant, ...]] = {
    "start_training": (
        *LOGS_AND_TRACES,
        KEEP_THE_ROW,
        TELL_WHAT_HAPPENED,
        Grant(("dynamodb:GetItem",), "DatasetsTable", "read where the dataset's file is"),
        *RENDER_A_DATASET,
        Grant(
            ("s3:GetObject",),
            "BaseModelsBucket/*/config.json",
            "see whether the base model has been mirrored",
        ),
        Grant(
            (
                "sagemaker:CreateTrainingJob",
                "sagemaker:AddTags",
                "sagemaker:DescribeTrainingJob",
                "sagemaker:StopTrainingJob",
            ),
            TRAINING_JOBS,
            "train, find out whether it was asked before, stop what was cancelled meanwhile",
        ),
        Grant(
            ("iam:PassRole",),
            "TrainingRole",
            "let SageMaker act in the one role of training jobs",
            passed_to="sagemaker.amazonaws.com",
        ),
        HAND_OVER,
    ),
    "watch_training": (
        *LOGS_AND_TRACES,
        KEEP_THE_ROW,
        TELL_WHAT_HAPPENED,
        Grant(("dynamodb:BatchWriteItem",), "TrainingMetricsTable", "keep the points of curves"),
        Grant(("dynamodb:PutItem",), "NotificationsTable", "tell that training has begun"),
        Grant(("s3:GetObject",), "ModelsBucket/jobs/*", "read what the trainer has measured"),
        learn_that_a_file_is_missing("ModelsBucket"),
        Grant(
            ("sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob"),
            TRAINING_JOBS,
            "see how far it is; stop it when it is cancelled or over its budget",
        ),
        HAND_OVER,
    ),
    "finish_training": (
        *LOGS_AND_TRACES,
        KEEP_THE_ROW,
        TELL_WHAT_HAPPENED,
        Grant(
            ("dynamodb:GetItem", "dynamodb:UpdateItem"),
            "DatasetsTable",
            "know what was trained on; count one job less on it",
        ),
        Grant(("dynamodb:PutItem",), "ModelsTable", "write the model's row"),
        Grant(("dynamodb:PutItem",), "CostRecordsTable", "write the job's bill"),
        CLOSE_BUDGET,
        Grant(("dynamodb:PutItem",), "NotificationsTable", "tell how the job has ended"),
        Grant(("s3:GetObject",), "ModelsBucket/jobs/*", "read what the training has left"),
        Grant(
            ("s3:PutObject", "s3:AbortMultipartUpload"),
            "ModelsBucket/*",
            "put the adapter where its owner downloads it, in parts, or give those up",
        ),
        learn_that_a_file_is_missing("ModelsBucket"),
        Grant(("sagemaker:DescribeTrainingJob",), TRAINING_JOBS, "learn how it has ended"),
    ),
    "training_events": (
        *LOGS_AND_TRACES,
        KEEP_FAILED_EVENTS,
        Grant(("dynamodb:GetItem",), "TrainingJobsTable", "read a training job's row"),
        Grant(
            ("dynamodb:Query",),
            "TrainingJobsTable/index/by_open_bill",
            "find all jobs whose bill is open",
        ),
        TELL_WHAT_HAPPENED,
        Grant(
            ("sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob"),
            TRAINING_JOBS,
            "learn whose it is; stop it when nobody waits for it",
        ),
        Grant(
            ("sagemaker:ListTrainingJobs",),
            "*",
            "find what is in progress; SageMaker lists no less than all",
        ),
        Grant(
            ("states:DescribeExecution",),
            "TrainAdapterExecutions",
            "see whether an execution still runs for a job",
        ),
        HAND_OVER,
    ),
}

TRAINING_ROLE_GRANTS: tuple[Grant, ...] = (
    Grant(("s3:GetObject",), "DatasetsBucket/*", "download the dataset and its split"),
    Grant(("s3:GetObject",), "BaseModelsBucket/*", "download the base model"),
    Grant(
        ("s3:GetObject", "s3:PutObject"),
        "ModelsBucket/jobs/*",
        "keep checkpoints, go on from them, upload the adapter",
    ),
    *(
        Grant(("s3:ListBucket",), bucket, "find the objects of a channel or of the checkpoints")
        for bucket in ("DatasetsBucket", "BaseModelsBucket", "ModelsBucket")
    ),
    Grant(
        (
            "logs:CreateLogGroup",
            "logs:DescribeLogStreams",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
        ),
        "TrainingLogGroup",
        "write what the container prints; make SageMaker's own log group where it is missing",
    ),
    Grant(
        ("cloudwatch:PutMetricData",),
        "*",
        "publish the job's metrics; CloudWatch has no resources to name",
    ),
)
"""SageMaker's documented minimum for CreateTrainingJob ("SageMaker execution roles"), narrowed."""

PULL_THE_IMAGE: tuple[Grant, ...] = (
    Grant(
        ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
        "TrainingImageRepository",
        "pull the training image",
    ),
    Grant(
        ("ecr:GetAuthorizationToken",),
        "*",
        "sign in to the registry; a token belongs to no repository",
    ),
)
"""What the role holds besides, where the image is in Amazon ECR."""
