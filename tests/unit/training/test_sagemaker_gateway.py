"""The SageMaker gateway with a real boto3 client."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from brightrun.catalog.base_models import base_model
from brightrun.core.errors import NoCapacityError, StorageError, TrainingRequestError
from brightrun.training.sagemaker.gateway import SageMakerTraining
from brightrun.training.sagemaker.request import TrainingResources, training_request
from tests.builders import START, SteppedClock
from tests.fakes import sagemaker_account as sagemaker
from tests.fakes.sagemaker_account import CAPACITY, SageMakerAccount
from tests.fakes.training_jobs import a_dataset, a_training_job

PLACES = TrainingResources("image:1", "arn:aws:iam::123456789012:role/training", "bases", "models")
JOB = a_training_job()
REQUEST = training_request(JOB, a_dataset(), base_model(JOB.base_model), PLACES, mirrored=True)
NAME = JOB.external_job_id


@pytest.fixture
def client() -> Any:
    return boto3.client("sagemaker", region_name="us-east-1")


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def account(client: Any, clock: SteppedClock) -> SageMakerAccount:
    made = SageMakerAccount(clock)
    made.answer(client.meta.events)
    return made


@pytest.fixture
def training(client: Any, account: SageMakerAccount) -> SageMakerTraining:
    return SageMakerTraining(client)


def test_a_job_that_exists_already_is_the_same_job(
    training: SageMakerTraining, account: SageMakerAccount
) -> None:
    training.start(REQUEST)
    training.start(REQUEST)
    assert account.created == [NAME]


@pytest.mark.parametrize("code", ["ResourceLimitExceeded", "ThrottlingException", "CapacityError"])
def test_missing_capacity_is_distinguished_from_a_rejection(
    training: SageMakerTraining, account: SageMakerAccount, code: str
) -> None:
    account.refusals = [(code, "there are none")]
    with pytest.raises(NoCapacityError, match="there are none"):
        training.start(REQUEST)


@pytest.mark.parametrize("code", ["ValidationException", "AccessDeniedException"])
def test_a_rejection_has_its_reason(
    training: SageMakerTraining, account: SageMakerAccount, code: str
) -> None:
    account.refusals = [(code, "not like this")]
    with pytest.raises(TrainingRequestError, match=f"{code}.*not like this"):
        training.start(REQUEST)


def test_a_request_that_the_client_itself_refuses_is_refused(training: SageMakerTraining) -> None:
    with pytest.raises(TrainingRequestError, match="RoleArn"):
        training.start({"TrainingJobName": NAME})


def test_an_outage_is_neither_lack_of_room_nor_a_refusal(client: Any) -> None:
    def answer(**_: Any) -> Any:
        failed = {"Error": {"Code": "InternalFailure", "Message": "sorry"}}
        return SimpleNamespace(status_code=500, headers={}), {
            **failed,
            "ResponseMetadata": {"HTTPStatusCode": 500},
        }

    client.meta.events.register("before-call.sagemaker", answer)
    training = SageMakerTraining(client)
    for act in (
        lambda: training.start(REQUEST),
        lambda: training.describe(NAME),
        lambda: training.stop(NAME),
        lambda: list(training.active("brightrun-")),
    ):
        with pytest.raises(StorageError):
            act()


def test_a_broken_connection_is_a_storage_error(client: Any) -> None:
    def fail(**_: Any) -> Any:
        raise EndpointConnectionError(endpoint_url="https://api.sagemaker")

    client.meta.events.register("before-call.sagemaker", fail)
    training = SageMakerTraining(client)
    for act in (
        lambda: training.start(REQUEST),
        lambda: training.describe(NAME),
        lambda: training.stop(NAME),
        lambda: list(training.active("brightrun-")),
    ):
        with pytest.raises(StorageError, match="EndpointConnectionError"):
            act()


def test_a_job_that_does_not_exist_is_none(training: SageMakerTraining) -> None:
    assert training.describe(NAME) is None


def test_all_of_a_description_is_read(
    training: SageMakerTraining, account: SageMakerAccount, clock: SteppedClock
) -> None:
    account.scripts = [([sagemaker.STARTING, sagemaker.TRAINING, sagemaker.FAILED], CAPACITY)]
    training.start(REQUEST)
    first = training.describe(NAME)
    assert first is not None
    assert (first.state, first.trained, first.billed_seconds(clock())) == ("active", False, 0)
    training.describe(NAME)
    clock.advance(90)
    last = training.describe(NAME)
    assert last is not None
    assert (last.status, last.failure_reason) == ("Failed", CAPACITY)
    assert (last.state, last.trained, last.billed_seconds(clock())) == ("ended", True, 90)
    assert last.environment["BRIGHTRUN_JOB_ID"] == JOB.job_id
    assert last.stage_since == START + timedelta(seconds=90)


def test_a_running_job_bills_until_now(
    training: SageMakerTraining, account: SageMakerAccount, clock: SteppedClock
) -> None:
    account.scripts = [([sagemaker.TRAINING], None)]
    training.start(REQUEST)
    training.describe(NAME)
    clock.advance(3600)
    run = training.describe(NAME)
    assert run is not None
    assert run.billed_seconds(clock()) == 3600


def test_stopping_what_has_ended_or_never_was_does_nothing(
    training: SageMakerTraining, account: SageMakerAccount
) -> None:
    training.stop(NAME)
    training.start(REQUEST)
    training.stop(NAME)
    training.stop(NAME)
    assert account.stopped == [NAME]


def test_only_our_own_active_jobs_are_listed_over_all_pages(
    training: SageMakerTraining, account: SageMakerAccount
) -> None:
    names = [f"brightrun-{number:03}" for number in range(250)]
    others = ["not-brightrun-1", "brightrun-ended"]
    for name in (*names, *others):
        training.start({**REQUEST, "TrainingJobName": name})
    account.jobs["brightrun-ended"].script = [sagemaker.COMPLETED]
    assert list(training.active("brightrun-")) == names
