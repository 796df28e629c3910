"""What an earlier version stored is read by this one, in every table.

`records_of_VERSION.json` holds records as that version wrote them, by table, and is never edited: a
release adds a file. When a test fails here, give the new field a default, or write a migration.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.aws import KEYS, Aws
from tests.handlers.gateway import Api

FILES = sorted(Path(__file__).parent.glob("records_of_*.json"))
BATCH = "01a2274e-3828-7548-92ce-b2e857968ee7"
CONVERSATION = "269308e3-a34d-503e-bb72-0ff2288456d5"
FAILURE = "01a22757-6645-7fa6-8161-67bb321b72f5"
TRAINING_FILE = "01a2274e-7b35-75ed-993c-0326c724b3a4"
DATASET = "01a2274e-8259-7374-b230-9bfcc24ca123"
TRAINING = "01a2274e-9aee-7a08-8531-f2593da2e064"
MODEL = "01a2274e-9aee-739a-b82b-74d598256b65"

READS = {
    "BatchJobsTable": [
        ("/api/batch-jobs", BATCH),
        (f"/api/batch-jobs/{BATCH}", BATCH),
        (f"/api/conversations/batch/{BATCH}/status", BATCH),
        ("/api/costs?start_date=2026-11-01&end_date=2026-11-30", BATCH),
    ],
    "BatchItemsTable": [(f"/api/conversations/batch/{BATCH}/items", "overwhelmed_avoider")],
    "BatchLogsTable": [(f"/api/batch-jobs/{BATCH}/log", "lines")],
    "ConversationsTable": [
        ("/api/conversations", CONVERSATION),
        (f"/api/conversations/{CONVERSATION}", CONVERSATION),
        (f"/api/conversations/{CONVERSATION}/status", CONVERSATION),
        (f"/api/conversations/{CONVERSATION}/validation-report", "report"),
        ("/api/conversations/stats", "total"),
    ],
    "CostRecordsTable": [("/api/costs?start_date=2026-11-01&end_date=2026-11-30", TRAINING)],
    "DatasetsTable": [("/api/datasets", DATASET), (f"/api/datasets/{DATASET}", DATASET)],
    "FailedGenerationsTable": [
        ("/api/failed-generations", FAILURE),
        (f"/api/failed-generations/{FAILURE}", FAILURE),
    ],
    "GenerationLogsTable": [
        ("/api/generation-logs", BATCH),
        ("/api/generation-logs/stats", "calls"),
    ],
    "ModelsTable": [("/api/models", MODEL), (f"/api/models/{MODEL}", MODEL)],
    "NotificationsTable": [("/api/notifications", "dataset_ready")],
    "ReviewAuditTable": [(f"/api/conversations/{CONVERSATION}/audit", "approve")],
    "ScaffoldingTable": [
        ("/api/scaffolding/personas", "Keeps a ledger."),
        ("/api/scaffolding/personas/anxious_planner", "Keeps a ledger."),
    ],
    "TrainingEventsTable": [(f"/api/jobs/{TRAINING}/events", "Queued for")],
    "TrainingFilesTable": [
        ("/api/training-files", TRAINING_FILE),
        (f"/api/training-files/{TRAINING_FILE}", TRAINING_FILE),
    ],
    "TrainingJobsTable": [("/api/jobs", TRAINING), (f"/api/jobs/{TRAINING}", TRAINING)],
    "TrainingMetricsTable": [(f"/api/jobs/{TRAINING}/metrics", "validation_loss")],
}
"""By table: what to ask for, and what the answer then holds."""


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def records(request: pytest.FixtureRequest, aws: Aws) -> dict[str, Any]:
    """The records of one version, stored."""
    stored: dict[str, Any] = json.loads(request.param.read_text())
    for table, items in stored.items():
        for item in items:
            aws.dynamodb.put_item(TableName=table, Item=item)
    return stored


def test_every_record_is_read_by_its_routes(api: Api, records: dict[str, Any]) -> None:
    for table in READS.keys() & records.keys():
        for path, expected in READS[table]:
            answer = api(f"GET {path}")
            assert answer.status == 200, f"{table}: {path}: {answer.text}"
            assert expected in answer.text, f"{table}: {path}: {answer.text[:500]}"


def test_request_that_an_earlier_version_accepted_is_not_done_again(
    api: Api, records: dict[str, Any]
) -> None:
    [key] = records["IdempotencyTable"]
    selection = {
        "personas": ["anxious_planner"],
        "emotional_arcs": ["confusion_to_clarity"],
        "training_topics": ["roth_ira_conversion"],
    }
    another = {"name": "another", "selection": selection}
    answer = api(
        "POST /api/conversations/generate-batch",
        another,
        headers={"Idempotency-Key": key["idempotency_key"]["S"]},
    )
    assert (answer.status, answer.body["code"]) == (422, "idempotency_key_reused")


def test_every_table_is_read() -> None:
    unknown_then = {"BudgetsTable"}
    assert {*READS, "IdempotencyTable", *unknown_then} == set(KEYS)
