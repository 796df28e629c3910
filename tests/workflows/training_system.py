"""The text of TrainAdapter on moto's interpreter, with the real handlers as its functions.

SageMaker is the account of tests/fakes behind a real client. Time is simulated: what the machine
would wait for, the clock is moved on by.
"""

from __future__ import annotations

import importlib
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.core.config import default_user_config
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import (
    WaitFunction,
)

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
from tests.builders import OWNER, SteppedClock
from tests.fakes import adapter
from tests.fakes.datasets import DATASET_TABLES
from tests.fakes.sagemaker_account import Job, SageMakerAccount
from tests.fakes.training_jobs import a_dataset, a_training_job

TEXT = Path(__file__).parents[2] / "infra" / "state_machines" / "train_adapter.asl.json"
FUNCTIONS = {
    "StartTrainingFunctionArn": "start-training",
    "WatchTrainingFunctionArn": "watch-training",
    "FinishTrainingFunctionArn": "finish-training",
}
TABLES = TrainingTables(
    jobs="TrainingJobsTable",
    datasets="DatasetsTable",
    notifications="NotificationsTable",
    cost_records="CostRecordsTable",
    models="ModelsTable",
)
DEADLINE_S = 60.0
Event = dict[str, Any]
Disturbance = Callable[[str, Event, int], object]
"""Called before a function runs with its name, the event and the number of the call; may raise."""


class Killed(BaseException):
    """The function's process died; nothing in it may catch this."""


def definition() -> str:
    """The text with the functions' ARNs in the place of its placeholders."""
    text = TEXT.read_text(encoding="utf-8")
    for placeholder, name in FUNCTIONS.items():
        arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
        text = text.replace(f"${{{placeholder}}}", arn)
    return text


@dataclass
class TrainingSystem:
    """A running machine: take on a job, wait for its executions, look at what there is then."""

    aws: Aws
    stepfunctions: Any
    clock: SteppedClock
    machine_arn: str
    account: SageMakerAccount
    disturb: Disturbance = lambda *_: None
    waited: list[float] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
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

    def take_on(
        self, *, start: bool = True, dataset_id: str = "dataset-1", **changes: Any
    ) -> TrainingJob:
        """Store a dataset and a job on it; start the machine."""
        dataset: Dataset = a_dataset(dataset_id, sha256=adapter.DATASET_SHA256)
        self.datasets.add(dataset)
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

    def told(self, job: TrainingJob) -> list[str]:
        """The types of the notifications, by their moment; of one moment, by their name."""
        rows = self.aws.dynamodb.scan(TableName="NotificationsTable")["Items"]
        own = [row for row in rows if row["metadata"]["M"]["job_id"]["S"] == job.job_id]
        return [kind for _, kind in sorted((r["created_at"]["S"], r["type"]["S"]) for r in own)]

    def bills(self, job: TrainingJob) -> list[float]:
        rows = self.aws.dynamodb.scan(TableName="CostRecordsTable")["Items"]
        return [float(row["amount"]["N"]) for row in rows if row["job_id"]["S"] == job.job_id]

    def active_jobs(self, job: TrainingJob) -> int:
        return self.datasets.dataset(OWNER, job.dataset_id).active_jobs

    def ended(self, name: str) -> str:
        """Wait for an execution's end, and give its status."""
        arn = self._execution(name)
        deadline = time.monotonic() + DEADLINE_S
        while True:
            status = str(self.stepfunctions.describe_execution(executionArn=arn)["status"])
            if status != "RUNNING":
                return status
            assert time.monotonic() < deadline, "the execution did not end"
            time.sleep(0.01)

    def history(self, name: str) -> list[Event]:
        pages = self.stepfunctions.get_paginator("get_execution_history").paginate(
            executionArn=self._execution(name)
        )
        return [event for page in pages for event in page["events"]]

    def executions(self) -> list[str]:
        listed = self.stepfunctions.list_executions(stateMachineArn=self.machine_arn)
        return sorted(one["name"] for one in listed["executions"])

    def wait(self, seconds: float) -> None:
        """Let simulated time pass."""
        with self._lock:
            self.waited.append(seconds)
            self.clock.advance(seconds)

    def invoke(self, name: str, event: Event) -> tuple[dict[str, Any], bool]:
        """Run a function as Lambda does; gives its answer and whether it failed."""
        with self._lock:
            self.calls[name] += 1
            number = self.calls[name]
        try:
            self.disturb(name, event, number)
            module = importlib.import_module(f"functions.{name.replace('-', '_')}.handler")
            return module.lambda_handler(event, None), False
        except (Exception, Killed) as error:
            return {"errorType": type(error).__name__, "errorMessage": str(error)}, True

    def _execution(self, name: str) -> str:
        return f"{self.machine_arn.replace(':stateMachine:', ':execution:')}:{name}"


@contextmanager
def running_training(**variables: str) -> Iterator[TrainingSystem]:
    """Deploy the text into moto, with functions that find moto's tables and this account."""
    interpreting = {
        "stepfunctions": {"execute_state_machine": True},
        "lambda": {"use_docker": False},
    }
    with ExitStack() as opened:
        opened.enter_context(patch.dict(default_user_config, interpreting))
        aws = opened.enter_context(moto_aws())
        stepfunctions = boto3.client("stepfunctions", region_name="us-east-1")
        machine = stepfunctions.create_state_machine(
            name="brightrun-train-adapter",
            definition=definition(),
            roleArn="arn:aws:iam::123456789012:role/train-adapter",
        )
        clock = SteppedClock()
        account = SageMakerAccount(clock)
        system = TrainingSystem(aws, stepfunctions, clock, machine["stateMachineArn"], account)
        told = {
            **environment(),
            "TRAIN_ADAPTER_STATE_MACHINE_ARN": system.machine_arn,
            **variables,
        }
        opened.enter_context(patch.dict(os.environ, told))
        opened.enter_context(_wired(system))
        yield system


@contextmanager
def _wired(system: TrainingSystem) -> Iterator[None]:
    """Point the composition root at moto's clients, Lambda at the handlers, waits at the clock."""
    sagemaker = boto3.client("sagemaker", region_name="us-east-1")
    system.account.answer(sagemaker.meta.events)

    def invoke(
        _: Any, function_name: str, __: Any, body: str, ___: Any, response_headers: dict[str, Any]
    ) -> bytes:
        name = function_name.rpartition(":")[2]
        assert name in FUNCTIONS.values()
        answer, failed = system.invoke(name, json.loads(body))
        if failed:
            response_headers["x-amz-function-error"] = "Unhandled"
        return json.dumps(answer).encode()

    def wait(_: Any, env: Any, wait_seconds: float) -> None:
        system.wait(wait_seconds)

    with (
        patch.multiple(
            clients,
            dynamodb=lambda: system.aws.dynamodb,
            s3=lambda: system.aws.s3,
            step_functions=lambda: system.stepfunctions,
            clock=system.clock,
        ),
        patch.object(clients, "sagemaker", lambda: sagemaker),
        patch.object(LambdaSimpleBackend, "invoke", invoke),
        patch.object(retrier_decl, "time", SimpleNamespace(sleep=system.wait)),
        patch.object(WaitFunction, "_wait_interval", wait),
    ):
        yield
