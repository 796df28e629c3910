"""Our request for a training job beside what the `sagemaker` SDK sends for the same settings.

The SDK has an environment of its own: it is a gigabyte, and nothing here needs it to run. See
docs/adr/0051 for what the comparison has shown; `make test-sdk` makes it again.
"""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from brightrun.catalog.base_models import base_model
from brightrun.training.sagemaker.request import TrainingResources, training_request
from tests.fakes.training_jobs import a_dataset, a_training_job

# The SDK warns of its own modules.
pytestmark = pytest.mark.filterwarnings("default")

PLACES = TrainingResources(
    image="123456789012.dkr.ecr.us-east-1.amazonaws.com/training:1",
    role_arn="arn:aws:iam::123456789012:role/brightrun-training",
    base_models_bucket="base-models",
    models_bucket="models",
)
JOB = a_training_job("0196b3f0-0000-7000-8000-000000000001", max_cost_usd=3.0)
SPOT = a_training_job("0196b3f0-0000-7000-8000-000000000002", use_spot=True)


class Sent(Exception):
    """The request that would have gone out."""

    def __init__(self, request: dict[str, Any]) -> None:
        super().__init__("sent")
        self.request = request


def capture(client: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:
    """Let the request out to nobody; the SDK's own questions about the role stay unanswered."""
    if operation == "CreateTrainingJob":
        raise Sent(arguments)
    if client.meta.service_model.service_name == "iam":
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)
    return {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/somebody"}


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)


def ours(job: Any) -> dict[str, Any]:
    return training_request(job, a_dataset(), base_model(job.base_model), PLACES, mirrored=True)


def sent_by_resource(request: dict[str, Any]) -> dict[str, Any]:
    """What TrainingJob.create sends when it is given our values in its own words."""
    from sagemaker.core.resources import TrainingJob
    from sagemaker.core.utils.utils import pascal_to_snake

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {pascal_to_snake(name): renamed(inner) for name, inner in value.items()}
        return [renamed(one) for one in value] if isinstance(value, list) else value

    arguments = {pascal_to_snake(name): renamed(value) for name, value in request.items()}
    for names in ("HyperParameters", "Environment"):  # maps: their keys are no fields
        arguments[pascal_to_snake(names)] = request[names]
    session = boto3.Session(region_name="us-east-1")
    with patch.object(BaseClient, "_make_api_call", capture), pytest.raises(Sent) as sent:
        TrainingJob.create(session=session, region="us-east-1", **arguments)
    return dict(sent.value.request)


def sent_by_trainer(request: dict[str, Any]) -> dict[str, Any]:
    """What ModelTrainer.train sends, the SDK's door for people, asked for the same training."""
    from sagemaker.core import shapes
    from sagemaker.core.helper.session_helper import Session
    from sagemaker.core.training.configs import Compute, InputData, Networking, StoppingCondition
    from sagemaker.train.model_trainer import ModelTrainer

    resources, stops = request["ResourceConfig"], request["StoppingCondition"]
    with patch.object(BaseClient, "_make_api_call", capture), pytest.raises(Sent) as sent:
        trainer = ModelTrainer(
            sagemaker_session=Session(boto3.Session(region_name="us-east-1")),
            role=request["RoleArn"],
            base_job_name="brightrun",
            training_image=request["AlgorithmSpecification"]["TrainingImage"],
            hyperparameters=request["HyperParameters"],
            environment=request["Environment"],
            compute=Compute(
                instance_type=resources["InstanceType"],
                instance_count=resources["InstanceCount"],
                volume_size_in_gb=resources["VolumeSizeInGB"],
                enable_managed_spot_training=request["EnableManagedSpotTraining"],
            ),
            networking=Networking(enable_network_isolation=request["EnableNetworkIsolation"]),
            stopping_condition=StoppingCondition(
                max_runtime_in_seconds=stops["MaxRuntimeInSeconds"],
                max_pending_time_in_seconds=stops["MaxPendingTimeInSeconds"],
                max_wait_time_in_seconds=stops.get("MaxWaitTimeInSeconds"),
            ),
            output_data_config=shapes.OutputDataConfig(
                s3_output_path=request["OutputDataConfig"]["S3OutputPath"], compression_type="GZIP"
            ),
            checkpoint_config=shapes.CheckpointConfig(
                s3_uri=request["CheckpointConfig"]["S3Uri"],
                local_path=request["CheckpointConfig"]["LocalPath"],
            ),
            tags=[shapes.Tag(key=tag["Key"], value=tag["Value"]) for tag in request["Tags"]],
        )
        trainer.with_metric_definitions(
            [
                shapes.MetricDefinition(name=one["Name"], regex=one["Regex"])
                for one in request["AlgorithmSpecification"]["MetricDefinitions"]
            ]
        )
        retries = request["RetryStrategy"]["MaximumRetryAttempts"]
        trainer.with_retry_strategy(shapes.RetryStrategy(maximum_retry_attempts=retries))
        channels = [
            InputData(
                channel_name=one["ChannelName"],
                data_source=one["DataSource"]["S3DataSource"]["S3Uri"],
            )
            for one in request["InputDataConfig"]
        ]
        trainer.train(input_data_config=channels, wait=False, logs=False)
    return dict(sent.value.request)


def differences(left: Any, right: Any, where: str = "") -> list[str]:
    """Where two requests differ, field by field."""
    if isinstance(left, dict) and isinstance(right, dict):
        names = sorted(left.keys() | right.keys())
        parts = [differences(left.get(n), right.get(n), f"{where}.{n}") for n in names]
        return [one for part in parts for one in part]
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        pairs = enumerate(zip(left, right, strict=True))
        parts = [differences(one, other, f"{where}[{at}]") for at, (one, other) in pairs]
        return [one for part in parts for one in part]
    return [] if left == right else [f"{where}: {left!r} != {right!r}"]


@pytest.mark.parametrize("job", [JOB, SPOT], ids=["budget", "spot"])
def test_the_sdks_resource_sends_our_request_unchanged(job: Any) -> None:
    request = ours(job)
    assert differences(request, sent_by_resource(request)) == []


@pytest.mark.parametrize("job", [JOB, SPOT], ids=["budget", "spot"])
def test_the_sdks_trainer_sends_our_request_but_for_its_own_name_and_tags(job: Any) -> None:
    request = ours(job)
    sent = sent_by_trainer(request)
    assert sent.pop("TrainingJobName").startswith("brightrun-")
    del request["TrainingJobName"]
    assert differences(request, sent) == []
