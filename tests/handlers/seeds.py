"""What is in the tables before a test asks for it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from brightrun.aws.dynamodb import row_of, to_wire
from brightrun.batches.claim_repository import Outcome
from brightrun.batches.model import BatchItem, BatchJob
from brightrun.conversations.generation_log.model import FailedGeneration, GenerationLogEntry
from brightrun.conversations.model import ConversationRecord
from brightrun.core.ids import first_id_at
from brightrun.core.timestamps import from_iso, iso
from brightrun.datasets.model import Dataset
from brightrun.datasets.repository import DynamoDatasets
from brightrun.notifications.model import Notification
from brightrun.training.adapters.model import ModelArtifact
from brightrun.training.costs.model import CostRecord, cost_record
from brightrun.training.model import TrainingJob
from brightrun.training.repository import DynamoTrainingRecords
from brightrun.training_files.model import TrainingFile
from brightrun.training_files.repository import DynamoTrainingFiles
from tests import aws as deployed
from tests import builders as build
from tests.aws import Aws
from tests.builders import OWNER, START
from tests.fakes.datasets import (
    DATASET_TABLES,
    ROWS,
    a_dataset,
    a_notification,
    a_waiting_dataset,
)
from tests.fakes.tokenizer import put_tokenizer
from tests.fakes.training_files import a_training_file, an_enriched_text
from tests.fakes.training_jobs import a_model, a_training_job


class Seeds:
    """Stores records as the worker would have."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def job(self, items: int = 4, *, owner: str = OWNER, **changes: Any) -> BatchJob:
        planned = build.a_plan(items, owner=owner)
        job = build.a_job(planned, owner=owner, **changes)
        self._aws.batches.create(job, planned.items)
        return job

    def completed(self, job: BatchJob, *outcomes: Outcome, at: datetime = START) -> BatchJob:
        """Let a worker take as many items of the job as there are outcomes, and end them so."""
        claims = self._aws.claims
        taken = claims.next_items(job.owner_id, job.job_id, len(outcomes))
        held = claims.claim(taken, build.a_lease(), build.lines_for(taken), START)
        for item, outcome in zip(held, outcomes, strict=True):
            build.end_item(claims, item, outcome, at)
        return self._aws.batches.job(job.owner_id, job.job_id)

    def logged(self, job: BatchJob, *messages: str) -> None:
        for message in messages:
            self._aws.claims.write_line(job.owner_id, job.job_id, build.a_line(message))

    def items(self, job: BatchJob) -> list[BatchItem]:
        page = self._aws.batches.items(
            job.owner_id, job.job_id, status=None, limit=1000, cursor=None
        )
        return list(page.records)

    def conversation(self, number: int = 1, **changes: Any) -> ConversationRecord:
        record = dataclasses.replace(_CONVERSATION, conversation_id=numbered_id(number), **changes)
        record = dataclasses.replace(
            record,
            file_path=f"{record.owner_id}/{record.conversation_id}/conversation.json",
            raw_response_path=f"raw/{record.owner_id}/{record.conversation_id}.json",
        )
        self._store("ConversationsTable", record)
        self._aws.s3.put_object(
            Bucket="conversation-files",
            Key=record.file_path,
            Body=json.dumps(build.a_conversation()).encode(),
        )
        return record

    def enriched(self, number: int = 1, **changes: Any) -> ConversationRecord:
        """A conversation whose training pairs are stored; each says what no other one says."""
        conversation_id = numbered_id(number)
        record = self.conversation(
            number,
            **{
                "enrichment_status": "completed",
                "enriched_file_path": f"{OWNER}/{conversation_id}/enriched.json",
                "quality_score": 4.0,
                **changes,
            },
        )
        self._aws.s3.put_object(
            Bucket="conversation-files",
            Key=f"{OWNER}/{conversation_id}/enriched.json",
            Body=an_enriched_text(conversation_id).encode(),
        )
        return record

    def enrichable(self, number: int = 1) -> ConversationRecord:
        """A conversation beside the plan that it was written by."""
        planned = build.a_plan(1)
        (item,) = planned.items
        self._aws.s3.put_object(
            Bucket="batch-logs",
            Key=f"{planned.plan.job_id}/plan.json",
            Body=planned.plan.model_dump_json().encode(),
        )
        return self.conversation(
            number,
            batch_job_id=planned.plan.job_id,
            item_id=item.item_id,
            persona_id=item.persona_id,
            emotional_arc_id=item.emotional_arc_id,
            training_topic_id=item.training_topic_id,
            template_id=item.template_id,
        )

    def failure(self, number: int = 1, **changes: Any) -> FailedGeneration:
        record = dataclasses.replace(_FAILURE, failure_id=_id_at(number, changes), **changes)
        self._store("FailedGenerationsTable", record)
        return record

    def log_entry(self, number: int = 1, **changes: Any) -> GenerationLogEntry:
        entry = dataclasses.replace(_LOG_ENTRY, log_id=_id_at(number, changes), **changes)
        self._store("GenerationLogsTable", entry)
        return entry

    def dataset(self, number: int = 1, **changes: Any) -> Dataset:
        """A dataset that was validated and found ready; its file is there."""
        dataset = a_dataset(numbered_id(number), **changes)
        if "etag" not in changes:
            self._aws.s3.put_object(Bucket="datasets", Key=dataset.storage_path, Body=ROWS)
        DynamoDatasets(self._aws.dynamodb, DATASET_TABLES).add(dataset)
        return dataset

    def waiting_dataset(self, number: int = 1) -> Dataset:
        """A dataset whose file has not arrived."""
        dataset = a_waiting_dataset(numbered_id(number))
        DynamoDatasets(self._aws.dynamodb, DATASET_TABLES).add(dataset)
        return dataset

    def training_file(
        self, number: int = 1, text: bytes = b"{}", size: int | None = None
    ) -> TrainingFile:
        """A training file of one version, whose lines are the text, or of the size on its row."""
        file = a_training_file(numbered_id(number), len(text) if size is None else size)
        DynamoTrainingFiles(self._aws.dynamodb, "TrainingFilesTable").add(file)
        self._aws.s3.put_object(Bucket="training-files", Key=file.newest.jsonl_key, Body=text)
        return file

    def training_job(self, **changes: Any) -> TrainingJob:
        """A training job on a dataset of its own; `changes` are of the job's row."""
        job = a_training_job(**changes)
        active = 0 if job.settled else 1
        dataset = a_dataset(job.dataset_id, owner_id=job.owner_id, active_jobs=active)
        DynamoDatasets(self._aws.dynamodb, DATASET_TABLES).add(dataset)
        self._store("TrainingJobsTable", job)
        return job

    def training_record(self, job: TrainingJob, amount: float, at: str) -> CostRecord:
        """What an ended job cost."""
        closed = dataclasses.replace(job, status="completed", final_cost=amount)
        record = cost_record(closed, from_iso(at))
        self._store("CostRecordsTable", record)
        return record

    def model(self, job: TrainingJob, **changes: Any) -> ModelArtifact:
        """What a job delivered."""
        model = a_model(job, **changes)
        self._store("ModelsTable", model)
        return model

    def training_records(self) -> DynamoTrainingRecords:
        """Where the curves and events of jobs are kept."""
        return DynamoTrainingRecords(
            self._aws.dynamodb, "TrainingMetricsTable", "TrainingEventsTable"
        )

    def countable_dataset(self, text: bytes, split: str | None = None, **changes: Any) -> Dataset:
        """A dataset whose file and split are there, as is the default base model's tokenizer."""
        put_tokenizer(self._aws.s3)
        number = self.rows("DatasetsTable") + 1
        planned = a_dataset(numbered_id(number), **changes)
        stored = self._aws.s3.put_object(Bucket="datasets", Key=planned.storage_path, Body=text)
        if split is None:
            changes["split_key"] = None
        else:
            self._aws.s3.put_object(Bucket="datasets", Key=planned.split_key, Body=split)
        return self.dataset(number, file_size=len(text), **{"etag": stored["ETag"], **changes})

    def notification(self, number: int = 1, **changes: Any) -> Notification:
        notification = a_notification(number, **changes)
        self._store("NotificationsTable", notification)
        return notification

    def rows(self, table: str) -> int:
        """How many rows a table has."""
        count: int = self._aws.dynamodb.scan(TableName=table, Select="COUNT")["Count"]
        return count

    def _store(self, table: str, record: Any) -> None:
        self._aws.dynamodb.put_item(TableName=table, Item=to_wire(row_of(record)))


@dataclass(frozen=True)
class StartedRuns:
    """The executions of a workflow, the batch's where no other is named."""

    client: Any
    machine: str = "GENERATE_BATCH"

    def names(self) -> list[str]:
        return sorted(run["name"] for run in self._executions())

    def input_of(self, name: str) -> dict[str, Any]:
        (arn,) = [run["executionArn"] for run in self._executions() if run["name"] == name]
        given: dict[str, Any] = json.loads(
            self.client.describe_execution(executionArn=arn)["input"]
        )
        return given

    def _executions(self) -> list[dict[str, Any]]:
        arn = deployed.environment()[f"{self.machine}_STATE_MACHINE_ARN"]
        runs: list[dict[str, Any]] = self.client.list_executions(stateMachineArn=arn)["executions"]
        return runs


def numbered_id(number: int) -> str:
    """The id of the record of that number."""
    return f"00000000-0000-7000-8000-{number:012d}"


def _id_at(number: int, changes: Mapping[str, Any]) -> str:
    """The id of that number, created at the time that the changes name, if they do."""
    created = changes.get("created_at")
    first = first_id_at(from_iso(created)) if created else numbered_id(0)
    return f"{first[:-12]}{number:012d}"


_MADE_OF: dict[str, Any] = {
    "owner_id": OWNER,
    "item_id": numbered_id(90),
    "template_id": numbered_id(91),
    "created_at": iso(START),
    "input_tokens": 2000,
    "output_tokens": 1500,
    "simulated": True,
}
_CONVERSATION = ConversationRecord(
    **_MADE_OF,
    conversation_id="",
    conversation_name="Marcus Chen: Confusion to Clarity",
    batch_job_id=numbered_id(92),
    persona_id=numbered_id(93),
    persona_key="overwhelmed_avoider",
    emotional_arc_id=numbered_id(94),
    emotional_arc_key="confusion_to_clarity",
    training_topic_id=numbered_id(95),
    training_topic_key="roth_ira_conversion",
    tier="template",
    turn_count=8,
    starting_emotion="confusion",
    ending_emotion="clarity",
    file_path="",
    file_size=5000,
    raw_response_path="",
    raw_response_size=4500,
    model="claude-sonnet-5-5",
    cost_micro_usd=28_500,
    updated_at=iso(START),
    created_by=OWNER,
)
_FAILURE = FailedGeneration(
    **_MADE_OF,
    failure_id="",
    run_id=numbered_id(92),
    conversation_id=numbered_id(96),
    failure_type="truncation",
    reason="stopped_at_limit",
    error_message="Claude's answer was cut off.",
    model="claude-sonnet-5-5",
    max_tokens=8000,
    prompt_length=6000,
    raw_file_path="2026/11/failed-report.json",
    persona_id=numbered_id(93),
    emotional_arc_id=numbered_id(94),
    training_topic_id=numbered_id(95),
    stop_reason="max_tokens",
    truncation_pattern="max_tokens",
)
_LOG_ENTRY = GenerationLogEntry(
    **_MADE_OF,
    log_id="",
    run_id=numbered_id(92),
    conversation_id=numbered_id(96),
    model_used="claude-sonnet-5-5",
    max_tokens=8000,
    status="success",
    retry_attempt=0,
    duration_ms=900,
    cost_micro_usd=28_500,
    request=b"compressed",
    stop_reason="end_turn",
)
