"""A SageMaker over a folder, with moto's S3 and the fake trainer, as tests drive it."""

import io
import json
import sys
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3

from local.durability.room import DiskRoom
from local.sagemaker.attempt import JobContext
from local.sagemaker.faults import ScriptedFaults
from local.sagemaker.job_store import JobStore
from local.sagemaker.training_environment import TrainingEnvironment
from local.sagemaker.training_job import TrainingJob
from local.sagemaker.training_jobs import TrainingJobs
from tests.local.running_system import until

TRAINER = Path(__file__).with_name("fake_trainer.py")
BUCKET = "training"


def job_request(name: str = "job-1", **changes: Any) -> dict[str, Any]:
    """Return a request that is accepted; changes replace its members."""
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "RoleArn": "arn:aws:iam::000000000000:role/training-role",
        "HyperParameters": {"steps": "2"},
        "InputDataConfig": [channel("training", f"s3://{BUCKET}/data/rows")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out/"},
        "ResourceConfig": {
            "InstanceType": "ml.p5.4xlarge",
            "InstanceCount": 1,
            "VolumeSizeInGB": 100,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/checkpoints/{name}"},
        **changes,
    }


def channel(name: str, uri: str) -> dict[str, Any]:
    """Return a channel that reads everything under a prefix."""
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def wait_for(ready: threading.Event) -> None:
    """Wait until something is ready."""
    ready.wait()


class Emulated:
    """Jobs over a folder; ``restart`` is what the next start of the engine finds."""

    def __init__(self, folder: Path, *, python: Path = Path(sys.executable)) -> None:
        self.folder = folder
        self.announced: list[tuple[str, str]] = []
        self.s3: Any = boto3.client("s3", region_name="us-east-1")
        self._python = python
        self.store = JobStore(folder)
        self.jobs = self._jobs()

    def start_once(self, ready: threading.Event) -> None:
        """Start again with jobs that wait until something is ready."""
        self.jobs.close()
        self.jobs = self._jobs(lambda: wait_for(ready))
        self.jobs.start()

    def restart(self) -> None:
        """Load everything again and start."""
        self.store = JobStore(self.folder)
        self.jobs = self._jobs()
        self.jobs.start()

    def create(self, name: str = "job-1", **changes: Any) -> str:
        """Create a job; returns its ARN."""
        answer = self.jobs.answer("CreateTrainingJob", job_request(name, **changes))
        return str(answer["TrainingJobArn"])

    def describe(self, name: str = "job-1") -> dict[str, Any]:
        """Describe a job."""
        return self.jobs.answer("DescribeTrainingJob", {"TrainingJobName": name})

    def stop(self, name: str = "job-1") -> None:
        """Stop a job."""
        self.jobs.answer("StopTrainingJob", {"TrainingJobName": name})

    def until_secondary(self, status: str, name: str = "job-1") -> dict[str, Any]:
        """Wait until a job has a secondary status; returns its description then."""
        found: dict[str, Any] = until(
            lambda: one if (one := self.describe(name))["SecondaryStatus"] == status else None
        )
        return found

    def until_ended(self, name: str = "job-1") -> dict[str, Any]:
        """Wait until a job has ended; returns its description."""
        ended = ("Completed", "Failed", "Stopped")
        found: dict[str, Any] = until(
            lambda: one if (one := self.describe(name))["TrainingJobStatus"] in ended else None
        )
        return found

    def sequence(self, name: str = "job-1") -> list[str]:
        """Return the secondary statuses that a job went through."""
        return [each["Status"] for each in self.describe(name)["SecondaryStatusTransitions"]]

    def results(self, name: str = "job-1") -> dict[str, Any]:
        """Return what the fake trainer left in the job's model archive."""
        uri = self.describe(name)["ModelArtifacts"]["S3ModelArtifacts"]
        assert uri == f"s3://{BUCKET}/out/{name}/output/model.tar.gz"
        return dict(json.loads(self.archived(f"out/{name}/output/model.tar.gz", "results.json")))

    def archived(self, key: str, member: str) -> bytes:
        """Return a file of an archive in the bucket."""
        body = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(body)) as archive:
            file = archive.extractfile(member)
            assert file is not None
            return file.read()

    def keys(self, prefix: str) -> list[str]:
        """Return the keys under a prefix of the bucket."""
        listed = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [stored["Key"] for stored in listed.get("Contents", ())]

    def script(self, **faults: int) -> None:
        """Script faults to come."""
        (self.folder / "faults.json").write_text(json.dumps(faults))

    def _jobs(self, until_ready: Callable[[], None] = lambda: None) -> TrainingJobs:
        environment = TrainingEnvironment(self._python, TRAINER, "http://127.0.0.1:1")
        faults = ScriptedFaults(self.folder / "faults.json")
        room = DiskRoom(self.folder)
        context = JobContext(self.store, self.s3, environment, faults, room, self._hear)
        return TrainingJobs(context, 1, until_ready)

    def _hear(self, job: TrainingJob) -> None:
        self.announced.append((job.name, job.secondary_status))
