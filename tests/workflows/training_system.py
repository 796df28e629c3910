"""TrainAdapter as it is deployed, with the real handlers behind it, on moto's tables.

SageMaker is the account of tests/fakes behind a real client.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import boto3

from brightrun.catalog.base_models import base_model
from brightrun.datasets.model import Dataset
from brightrun.datasets.repository import DynamoDatasets
from brightrun.training.adapters.model import ModelArtifact, model_id_of
from brightrun.training.adapters.repository import DynamoModels
from brightrun.training.gateway import StepFunctionsTraining
from brightrun.training.model import TrainingEvent, TrainingJob
from brightrun.training.notices import job_queued
from brightrun.training.repository import DynamoTrainingJobs, DynamoTrainingRecords, TrainingTables
from brightrun.training.sagemaker.request import artifact_key, metrics_key
from brightrun.training.service import TrainingCanceller
from brightrun.training.workflow.reconcile import Reconciliation
from brightrun.wiring import clients
from tests.aws import Aws, environment, moto_aws
from tests.builders import OWNER
from tests.fakes import adapter
from tests.fakes.datasets import DATASET_TABLES, ROWS, etag_of
from tests.fakes.sagemaker_account import Job, SageMakerAccount
from tests.fakes.training_jobs import a_dataset, a_training_job
from tests.workflows.definition import TRAIN_ADAPTER
from tests.workflows.running_machine import RunningMachine

TABLES = TrainingTables(
    jobs="TrainingJobsTable",
    datasets="DatasetsTable",
    notifications="NotificationsTable",
    cost_records="CostRecordsTable",
    models="ModelsTable",
)
Event = dict[str, Any]


class TrainingSystem(RunningMachine):
    """A running machine: take on a job, wait for its executions, look at what there is then."""

    def __init__(self, aws: Aws) -> None:
        super().__init__(TRAIN_ADAPTER, environment()["TRAIN_ADAPTER_STATE_MACHINE_ARN"])
        self.aws = aws
        self.account = SageMakerAccount(self.clock)
        self.jobs = DynamoTrainingJobs(self.aws.dynamodb, TABLES)
        self.records = DynamoTrainingRecords(
            self.aws.dynamodb, "TrainingMetricsTable", "TrainingEventsTable"
        )
        self.datasets = DynamoDatasets(self.aws.dynamodb, DATASET_TABLES)
        self.workflow = StepFunctionsTraining(self.stepfunctions, self.machine_arn)
        self.mirror(a_training_job().base_model)
        self.account.leaves = self.leave_an_artifact
        self.account.training = self.write_metrics

    def mirror(self, key: str) -> None:
        """Put a base model where an operator mirrors it."""
        place = f"{base_model(key).object_prefix}config.json"
        self.aws.s3.put_object(Bucket="base-models", Key=place, Body=b"{}")

    def create_job(
        self,
        *,
        start: bool = True,
        dataset_id: str = "dataset-1",
        text: bytes = ROWS,
        **changes: Any,
    ) -> TrainingJob:
        """Store a dataset of a text and a job on it; start the machine."""
        dataset: Dataset = a_dataset(dataset_id, sha256=adapter.DATASET_SHA256, etag=etag_of(text))
        self.datasets.add(dataset)
        self.aws.s3.put_object(Bucket="datasets", Key=dataset.storage_path, Body=text)
        job = a_training_job(dataset_id=dataset.dataset_id, **changes)
        self.jobs.create(job, job_queued(job, self.clock()))
        if start:
            self.workflow.ensure_training(job)
        return job

    def cancel(self, job: TrainingJob) -> None:
        """What POST /api/jobs/{id}/cancel does."""
        from brightrun.training.sagemaker.gateway import SageMakerTraining

        training = SageMakerTraining(clients.sagemaker())
        TrainingCanceller(self.jobs, self.records, training, self.clock).cancel(OWNER, job.job_id)

    def sweep(self, event: Event | None = None) -> Reconciliation:
        """What EventBridge calls from time to time."""
        from functions.training_events.handler import lambda_handler

        return Reconciliation(**lambda_handler(event or {"source": "aws.events"}, None))

    def leave_an_artifact(self, name: str, job: Job, **result: Any) -> None:
        """Write model.tar.gz where SageMaker writes it."""
        row = self.row_of(job)
        self.aws.s3.put_object(
            Bucket="models", Key=artifact_key(row), Body=adapter.an_artifact(row, **result)
        )

    def write_metrics(self, name: str, job: Job) -> None:
        """Write what a trainer has written by this look: eleven steps more each time."""
        row = self.row_of(job)
        body = adapter.metrics_lines(range(1, min(33, 11 * job.looks) + 1))
        self.aws.s3.put_object(Bucket="models", Key=metrics_key(row.job_id), Body=body)

    def row_of(self, job: Job) -> TrainingJob:
        return self.jobs.job(OWNER, job.request["Environment"]["BRIGHTRUN_JOB_ID"])

    def now(self, job: TrainingJob) -> TrainingJob:
        return self.jobs.job(OWNER, job.job_id)

    def model(self, job: TrainingJob) -> ModelArtifact:
        models = DynamoModels(self.aws.dynamodb, "ModelsTable")
        return models.model(OWNER, model_id_of(job.job_id))

    def events(self, job: TrainingJob) -> list[TrainingEvent]:
        return list(self.records.events(OWNER, job.job_id, limit=1000, cursor=None).records)

    def notification_types(self, job: TrainingJob) -> list[str]:
        """The types of the notifications by their time, then by their name."""
        rows = self.aws.dynamodb.scan(TableName="NotificationsTable")["Items"]
        own = [row for row in rows if row["metadata"]["M"]["job_id"]["S"] == job.job_id]
        return [kind for _, kind in sorted((r["created_at"]["S"], r["type"]["S"]) for r in own)]

    def bills(self, job: TrainingJob) -> list[float]:
        rows = self.aws.dynamodb.scan(TableName="CostRecordsTable")["Items"]
        return [float(row["amount"]["N"]) for row in rows if row["job_id"]["S"] == job.job_id]

    def active_jobs(self, job: TrainingJob) -> int:
        return self.datasets.dataset(OWNER, job.dataset_id).active_jobs


@contextmanager
def running_training(**variables: str) -> Iterator[TrainingSystem]:
    """Run the machine with functions that find moto's tables and this account of SageMaker."""
    with ExitStack() as opened:
        system = TrainingSystem(opened.enter_context(moto_aws()))
        opened.enter_context(patch.dict(os.environ, {**environment(), **variables}))
        sagemaker = boto3.client("sagemaker", region_name="us-east-1")
        system.account.answer(sagemaker.meta.events)
        opened.enter_context(
            patch.multiple(
                clients,
                dynamodb=lambda: system.aws.dynamodb,
                s3=lambda: system.aws.s3,
                step_functions=lambda: system.stepfunctions,
                sagemaker=lambda: sagemaker,
                clock=system.clock,
            )
        )
        yield system
