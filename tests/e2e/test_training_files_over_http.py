"""A training file of many conversations over real HTTP: built, interrupted, imported."""

from __future__ import annotations

import base64
import json
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from brightrun.aws.dynamodb import row_of, to_wire
from cli.training_file_builds import watch_build
from tests.e2e.conftest import Installation
from tests.fakes.training_files import an_enriched_record, an_enriched_text
from tests.handlers.seeds import numbered_id

pytestmark = pytest.mark.slow
FILES = "/api/training-files"
BATCH = numbered_id(9000)


def owner_of(system: Installation) -> str:
    """The subject of the client's access token."""
    payload = system.token().split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return str(claims["sub"])


def seed(system: Installation, count: int) -> None:
    """Store enriched conversations as a batch would have; the first one was rejected."""
    owner, dynamodb, s3 = owner_of(system), system.aws("dynamodb"), system.aws("s3")
    (table,) = [one for one in dynamodb.list_tables()["TableNames"] if "ConversationsTable" in one]
    bucket = system.output("ConversationFilesBucketName")

    def store(number: int) -> None:
        key = f"{owner}/{numbered_id(number)}/attempt/enriched.json"
        text = an_enriched_text(numbered_id(number))
        s3.put_object(Bucket=bucket, Key=key, Body=text.encode())
        record = an_enriched_record(
            numbered_id(number),
            owner_id=owner,
            batch_job_id=BATCH,
            enriched_file_path=key,
            created_at=f"2026-11-21T12:00:00.{number:03}Z",
            status="rejected" if number == 1 else "pending_review",
        )
        dynamodb.put_item(TableName=table, Item=to_wire(row_of(record)))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(store, range(1, count + 1)))


def ids_in(system: Installation, file_id: str) -> list[str]:
    link = system.client.get(f"{FILES}/{file_id}/download", {"format": "json"})
    with urllib.request.urlopen(link["download_url"]) as answer:
        document: dict[str, Any] = json.load(answer)
    return [one["conversation_metadata"]["conversation_id"] for one in document["conversations"]]


def test_a_build_of_a_batch_survives_a_power_cut_and_becomes_a_dataset(
    install: Callable[[], Installation],
) -> None:
    system = install()
    system.start()
    seed(system, 200)
    order = {"name": "Of a batch", "batch_job_id": BATCH}
    begun = system.client.post(FILES, order, idempotency_key="once")["trainingFile"]
    assert (begun["status"], begun["build"]["total"]) == ("building", 200)
    system.kill()
    system.start()
    done = watch_build(system.client, begun["id"], None, time.sleep)
    assert done["build"]["left_out"] == {"rejected": 1}
    assert ids_in(system, begun["id"]) == [numbered_id(number) for number in range(2, 201)]
    again = system.client.post(FILES, order, idempotency_key="once")["trainingFile"]
    assert (again["id"], again["version"]) == (begun["id"], 1)
    stored = system.aws("s3").list_objects_v2(Bucket=system.output("TrainingFilesBucketName"))
    assert stored["KeyCount"] == 2
    imported = system.client.post(
        "/api/datasets/import-from-training-file", {"training_file_id": begun["id"]}
    )["data"]
    assert imported["file_size"] == done["trainingFile"]["jsonl_file_size"]
