"""The data stack's tables and buckets in moto; tests/infra holds them equal to the template."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.session
from botocore.loaders import create_loader
from moto import mock_aws
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from brightrun.aws.budgets import DynamoBudgets
from brightrun.aws.dynamodb import read_rows_directly
from brightrun.batches.claim_repository import DynamoClaims
from brightrun.batches.repository import BatchTables, DynamoBatches
from brightrun.conversations.digests import ConversationDigest
from brightrun.training.repository import BY_OPEN_BILL

ROOTS = "brightrun.wiring"
KEYS: dict[str, tuple[str, str]] = {
    "ScaffoldingTable": ("owner_kind", "id"),
    "BatchJobsTable": ("owner_id", "job_id"),
    "BatchItemsTable": ("job_key", "position"),
    "BatchLogsTable": ("job_key", "entry_id"),
    "ConversationsTable": ("owner_id", "conversation_id"),
    "ReviewAuditTable": ("conversation_key", "entry_id"),
    "TrainingFilesTable": ("owner_id", "file_id"),
    "DatasetsTable": ("owner_id", "dataset_id"),
    "TrainingJobsTable": ("owner_id", "job_id"),
    "TrainingMetricsTable": ("job_key", "point_id"),
    "TrainingEventsTable": ("job_key", "event_id"),
    "ModelsTable": ("owner_id", "model_id"),
    "CostRecordsTable": ("owner_id", "record_id"),
    "NotificationsTable": ("owner_id", "notification_id"),
    "GenerationLogsTable": ("owner_id", "log_id"),
    "FailedGenerationsTable": ("owner_id", "failure_id"),
    "IdempotencyTable": ("owner_id", "idempotency_key"),
    "BudgetsTable": ("budget", "month"),
}
INDEXES: dict[str, dict[str, tuple[str, str]]] = {
    "ConversationsTable": {"by_updated_at": ("owner_id", "updated_at")},
    "TrainingJobsTable": {BY_OPEN_BILL: ("open_bill", "job_id")},
}
HELD = [
    name for name in ConversationDigest._fields if name not in ("conversation_id", "updated_at")
]
PROJECTIONS: dict[str, dict[str, Any]] = {
    "by_updated_at": {"ProjectionType": "INCLUDE", "NonKeyAttributes": HELD},
    BY_OPEN_BILL: {"ProjectionType": "KEYS_ONLY"},
}
"""What the indexes hold of a row."""
NUMBERS = {"position"}
BUCKETS = (
    "conversation-files",
    "training-files",
    "datasets",
    "base-models",
    "models",
    "batch-logs",
    "failed-generation-files",
)

_LOADER = create_loader()
"""botocore's service descriptions, parsed once a process: moto starts every account without any."""


@dataclass(frozen=True)
class Aws:
    dynamodb: Any
    s3: Any
    batches: DynamoBatches
    claims: DynamoClaims


@contextmanager
def moto_aws() -> Iterator[Aws]:
    with mock_aws():
        session = botocore.session.Session()
        session.register_component("data_loader", _LOADER)
        boto3.setup_default_session(botocore_session=session)  # moto puts the former one back
        dynamodb = boto3.client("dynamodb", region_name="us-east-1")
        read_rows_directly(dynamodb)
        for name in KEYS:
            _create_table(dynamodb, name)
        isolate(dynamodb)
        s3 = boto3.client("s3", region_name="us-east-1")
        for bucket in BUCKETS:
            s3.create_bucket(Bucket=bucket)
        tables = BatchTables("BatchJobsTable", "BatchItemsTable", "BatchLogsTable")
        yield Aws(
            dynamodb=dynamodb,
            s3=s3,
            batches=DynamoBatches(dynamodb, tables, DynamoBudgets(dynamodb, "BudgetsTable")),
            claims=DynamoClaims(
                dynamodb,
                tables,
                conversations_table="ConversationsTable",
                failed_generations_table="FailedGenerationsTable",
            ),
        )


def empty_tables() -> None:
    """Delete every row of every table, in moto's own store: it takes one scan per table else."""
    for table in get_backend("dynamodb")[DEFAULT_ACCOUNT_ID]["us-east-1"].tables.values():
        table.items.clear()


def empty_buckets() -> None:
    """Delete every object and every unfinished upload, likewise."""
    for bucket in get_backend("s3")[DEFAULT_ACCOUNT_ID]["aws"].buckets.values():
        bucket.keys.clear()
        bucket.multiparts.clear()


def environment() -> dict[str, str]:
    """The environment of every function, as the stacks give it."""
    tables = {_variable(name): name for name in KEYS}
    buckets = {f"{bucket.replace('-', '_').upper()}_BUCKET": bucket for bucket in BUCKETS}
    return {
        **tables,
        **buckets,
        "GENERATE_BATCH_STATE_MACHINE_ARN": (
            "arn:aws:states:us-east-1:123456789012:stateMachine:brightrun-generate-batch"
        ),
        "VALIDATE_DATASET_STATE_MACHINE_ARN": (
            "arn:aws:states:us-east-1:123456789012:stateMachine:brightrun-validate-dataset"
        ),
        "BUILD_TRAINING_FILE_STATE_MACHINE_ARN": (
            "arn:aws:states:us-east-1:123456789012:stateMachine:brightrun-build-training-file"
        ),
        "TRAIN_ADAPTER_STATE_MACHINE_ARN": (
            "arn:aws:states:us-east-1:123456789012:stateMachine:brightrun-train-adapter"
        ),
        "TRAINING_IMAGE": "123456789012.dkr.ecr.us-east-1.amazonaws.com/training:1",
        "TRAINING_ROLE_ARN": "arn:aws:iam::123456789012:role/brightrun-training",
        "WATCH_SECONDS": "30",
        "CAPACITY_RETRY_SECONDS": "300",
        "CLAUDE_PROVIDER": "simulator",
        "CLAUDE_MODEL": "claude-sonnet-5-5",
        "LEASE_SECONDS": "60",
        "MAX_CLAUDE_CALLS": "0",
        "RETRY_BASE_SECONDS": "0",
        "TRAINING_PRICE_WITHOUT_CAP_USD": "100",
    }


def _variable(construct: str) -> str:
    words = "".join(f"_{letter}" if letter.isupper() else letter for letter in construct)
    return words.lstrip("_").upper()


_ONE_AT_A_TIME = threading.Lock()


def isolate(client: Any) -> None:
    """Let one request in at a time: DynamoDB's transactions are isolated, moto's are not.

    One lock serves all clients, and is not held while a test's hooks run before or after a call.
    """
    send = client._make_request

    def one_at_a_time(*arguments: Any) -> Any:
        with _ONE_AT_A_TIME:
            return send(*arguments)

    client._make_request = one_at_a_time


def _create_table(client: Any, name: str) -> None:
    indexes = INDEXES.get(name, {})
    attributes = dict.fromkeys([*KEYS[name], *(key for index in indexes.values() for key in index)])
    request: dict[str, Any] = {}
    if indexes:
        request["GlobalSecondaryIndexes"] = [
            {
                "IndexName": index,
                "KeySchema": _schema(keys),
                "Projection": PROJECTIONS[index],
            }
            for index, keys in indexes.items()
        ]
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=_schema(KEYS[name]),
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": "N" if key in NUMBERS else "S"}
            for key in attributes
        ],
        **request,
    )


def _schema(keys: tuple[str, str]) -> list[dict[str, str]]:
    return [
        {"AttributeName": key, "KeyType": kind}
        for key, kind in zip(keys, ("HASH", "RANGE"), strict=True)
    ]


def forget_what_was_built() -> None:
    """Empty the composition roots, as a new Lambda process finds them."""
    roots = [module for name, module in sys.modules.items() if name.startswith(ROOTS)]
    for built in [value for root in roots for value in vars(root).values()]:
        if hasattr(built, "cache_clear"):
            built.cache_clear()
