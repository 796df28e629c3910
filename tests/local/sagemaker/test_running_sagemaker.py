"""SageMaker behind the one port of a running engine: boto3, kills, events, and no leftovers."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.instance import stop_instance
from tests.local.running_system import RunningSystem, start_fixture_system, until
from tests.local.sagemaker.emulated import TRAINER, channel, job_request

pytestmark = pytest.mark.slow

LONG = {"steps": "1000", "seconds": "0.05"}


class Engine:
    """An engine over one folder that can be killed and started again, with the fake trainer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.system = self.start()
        self.s3.put_object(Bucket=self.bucket, Key="data/rows", Body=b"{}\n")

    def start(self) -> RunningSystem:
        """Start the engine; what ran before must have ended."""
        self.system = start_fixture_system(
            self.folder,
            BRIGHTRUN_TRAINING_PYTHON=sys.executable,
            BRIGHTRUN_TRAINING_ENTRY_POINT=str(TRAINER),
        )
        return self.system

    @property
    def bucket(self) -> str:
        """The fixture's bucket."""
        return self.system.outputs["BucketName"]

    @property
    def s3(self) -> Any:
        """A client of the emulated S3."""
        return self.system.aws("s3")

    @property
    def sagemaker(self) -> Any:
        """A client of the emulated SageMaker."""
        return self.system.aws("sagemaker")

    def create(self, name: str, **changes: Any) -> None:
        """Create a job over the fixture's bucket."""
        at = f"s3://{self.bucket}"
        request = job_request(
            name,
            InputDataConfig=[channel("training", f"{at}/data/")],
            OutputDataConfig={"S3OutputPath": f"{at}/out"},
            CheckpointConfig={"S3Uri": f"{at}/checkpoints/{name}"},
        )
        self.sagemaker.create_training_job(**{**request, **changes})

    def until(self, name: str, *statuses: str) -> Any:
        """Wait until a job has one of these statuses; returns its description."""

        def described() -> Any:
            job = self.sagemaker.describe_training_job(TrainingJobName=name)
            return job if job["TrainingJobStatus"] in statuses else None

        return until(described)

    def until_checkpoint(self, name: str) -> None:
        """Wait until a job's first checkpoint is in S3."""
        prefix = f"checkpoints/{name}/"
        until(lambda: self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)["KeyCount"])

    def processes(self) -> list[str]:
        """Return the processes that have this engine's folder in their environment."""
        commands = Path("/proc").glob("[0-9]*/environ")
        return [path.parent.name for path in commands if str(self.folder) in _text_of(path)]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    running = Engine(tmp_path / "data")
    yield running
    running.system.stop()


def test_boto3_creates_describes_lists_and_stops_jobs(engine: Engine) -> None:
    engine.create("run-1", Tags=[{"Key": "owner", "Value": "o"}])
    ended = engine.until("run-1", "Completed", "Failed")
    assert ended["TrainingJobStatus"] == "Completed"
    key = ended["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{engine.bucket}/")
    assert engine.s3.head_object(Bucket=engine.bucket, Key=key)["ContentLength"] > 0
    assert ended["CreationTime"] < ended["TrainingEndTime"]
    listed = engine.sagemaker.list_training_jobs(
        StatusEquals="Completed", CreationTimeAfter=ended["CreationTime"].replace(year=2000)
    )
    assert [job["TrainingJobName"] for job in listed["TrainingJobSummaries"]] == ["run-1"]
    tags = engine.sagemaker.list_tags(ResourceArn=ended["TrainingJobArn"])["Tags"]
    assert tags == [{"Key": "owner", "Value": "o"}]
    with pytest.raises(ClientError) as refused:
        engine.create("run-1")
    assert refused.value.response["Error"]["Code"] == "ResourceInUse"
    assert isinstance(refused.value, engine.sagemaker.exceptions.ResourceInUse)
    with pytest.raises(ClientError, match="Requested resource not found"):
        engine.sagemaker.stop_training_job(TrainingJobName="nobody")


def test_status_shows_jobs_and_the_base_model(engine: Engine) -> None:
    engine.create("run-1", HyperParameters=LONG)
    engine.until_checkpoint("run-1")
    document = engine.system.request("GET", "/_local/status").document
    assert document["training_jobs"] == ["run-1: InProgress (Training)"]
    assert document["tiny_base_model"].startswith("none: the templates have no bucket")
    assert "run-1: InProgress" in engine.system.request("GET", "/_local/").text


def test_web_page_from_elsewhere_cannot_reach_sagemaker(engine: Engine) -> None:
    headers = {"x-amz-target": "SageMaker.ListTrainingJobs", "origin": "https://elsewhere.example"}
    assert engine.system.request("POST", "/", {}, headers).status == 403


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"not json", "SerializationException"), (b'"text"', "ValidationException")],
)
def test_body_that_is_no_request_is_refused(engine: Engine, body: bytes, code: str) -> None:
    import urllib.error
    import urllib.request

    request = urllib.request.Request(
        engine.system.local.api_url,
        data=body,
        headers={"x-amz-target": "SageMaker.ListTrainingJobs"},
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    with refused.value as answer:
        assert answer.code == 400
        assert json.load(answer)["__type"] == code


def test_kill_of_the_engine_ends_the_container_and_the_next_start_goes_on(engine: Engine) -> None:
    engine.create("run-1", HyperParameters={"steps": "60", "seconds": "0.05"})
    engine.until_checkpoint("run-1")
    engine.system.kill()
    until(lambda: not engine.processes())
    engine.start()
    ended = engine.until("run-1", "Completed", "Failed")
    assert ended["TrainingJobStatus"] == "Completed"
    sequence = [each["Status"] for each in ended["SecondaryStatusTransitions"]]
    assert sequence[2:6] == ["Training", "Interrupted", "Restarting", "Downloading"]
    assert ended["TrainingTimeInSeconds"] >= 2


def test_stop_of_the_engine_leaves_no_process_and_loses_no_step(engine: Engine) -> None:
    engine.create("run-1", HyperParameters=LONG)
    engine.create("run-2")
    engine.until_checkpoint("run-1")
    engine.system.stop()
    assert engine.processes() == []
    engine.start()
    assert engine.until("run-1", "InProgress")
    engine.sagemaker.stop_training_job(TrainingJobName="run-1")
    assert engine.until("run-1", "Stopped")
    assert engine.until("run-2", "Completed")


def test_engine_that_is_told_to_stop_while_it_trains_stops_in_time(engine: Engine) -> None:
    engine.create("run-1", HyperParameters={**LONG, "deaf": "1"})
    engine.until_checkpoint("run-1")
    assert stop_instance(engine.system.local.folder.lock)
    assert engine.processes() == []


def test_changes_of_a_job_reach_the_targets_of_a_rule(engine: Engine) -> None:
    sqs, events = engine.system.aws("sqs"), engine.system.aws("events")
    queue = sqs.create_queue(QueueName="changes")["QueueUrl"]
    events.put_rule(
        Name="changes",
        EventPattern=json.dumps(
            {
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Training Job State Change"],
                "detail": {"TrainingJobStatus": ["Completed"]},
            }
        ),
    )
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    targets = [{"Id": "queue", "Arn": arn["Attributes"]["QueueArn"]}]
    events.put_targets(Rule="changes", Targets=targets)
    engine.create("run-1")
    received = until(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
    event = json.loads(received[0]["Body"])
    assert event["detail"]["TrainingJobName"] == "run-1"
    assert event["detail"]["SecondaryStatus"] == "Completed"


def _text_of(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:  # the process has just ended
        return ""
