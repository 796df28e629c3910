"""How statuses follow one another, and what time is billed."""

import json
from typing import Any

import botocore.session

from local.sagemaker.events import event_of
from local.sagemaker.training_job import STATUS_OF, TrainingJob, new_job
from tests.local.sagemaker.emulated import job_request


def _job() -> TrainingJob:
    return new_job(job_request(), {"TrainingJobName"}, 100.0)


def test_every_status_is_one_of_the_service() -> None:
    model: Any = botocore.session.get_session().get_service_model("sagemaker")
    assert set(STATUS_OF) <= set(model.shape_for("SecondaryStatus").enum)
    assert set(STATUS_OF.values()) <= set(model.shape_for("TrainingJobStatus").enum)


def test_job_that_is_being_stopped_says_so_until_it_ends() -> None:
    job = _job()
    job.enter("Stopping", 101.0)
    job.enter("Uploading", 102.0)
    assert (job.status, job.secondary_status) == ("Stopping", "Uploading")
    job.enter("Stopped", 103.0)
    assert (job.status, job.has_ended) == ("Stopped", True)


def test_time_between_an_interruption_and_the_restart_is_not_billed() -> None:
    job = _job()
    job.begin_attempt(110.0)
    job.interrupt(120.0, 500.0)
    job.enter("Restarting", 500.0)
    job.begin_attempt(510.0)
    job.enter("Completed", 530.0)
    assert job.description["TrainingStartTime"] == 110.0
    assert job.description["TrainingEndTime"] == 530.0
    assert job.description["TrainingTimeInSeconds"] == 30
    assert job.description["BillableTimeInSeconds"] == 30
    assert job.attempt == 2


def test_job_that_never_got_an_instance_bills_nothing() -> None:
    job = _job()
    job.fail("CapacityError: none", 101.0)
    assert "BillableTimeInSeconds" not in job.description


def test_record_is_read_back_as_it_was() -> None:
    job = _job()
    job.begin_attempt(110.0)
    assert TrainingJob(**json.loads(json.dumps(job.as_record()))) == job


def test_event_holds_the_job_with_times_in_milliseconds() -> None:
    job = _job()
    job.tags = [{"Key": "owner", "Value": "o"}]
    event = event_of(job)
    detail = json.loads(event["Detail"])
    assert event["Source"] == "aws.sagemaker"
    assert event["Resources"] == [job.description["TrainingJobArn"]]
    assert detail["CreationTime"] == 100_000
    assert detail["SecondaryStatusTransitions"][0]["StartTime"] == 100_000
    assert detail["Tags"] == {"owner": "o"}
    assert job.description["CreationTime"] == 100.0
