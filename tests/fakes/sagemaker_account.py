"""SageMaker's training jobs behind a real boto3 client.

The client's own checks run; only the wire is missing. A job goes through the states that its
script names, one at each look; without a script it is done at the second look.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.fakes.aws_answers import Answer, answered, refused

State = tuple[str, str]
"""TrainingJobStatus and SecondaryStatus."""

STARTING: State = ("InProgress", "Starting")
PENDING: State = ("InProgress", "Pending")
DOWNLOADING: State = ("InProgress", "Downloading")
TRAINING: State = ("InProgress", "Training")
INTERRUPTED: State = ("InProgress", "Interrupted")
RESTARTING: State = ("InProgress", "Restarting")
UPLOADING: State = ("InProgress", "Uploading")
STOPPING: State = ("Stopping", "Stopping")
COMPLETED: State = ("Completed", "Completed")
STOPPED: State = ("Stopped", "Stopped")
OUT_OF_TIME: State = ("Stopped", "MaxRuntimeExceeded")
FAILED: State = ("Failed", "Failed")

HAPPY: tuple[State, ...] = (STARTING, DOWNLOADING, TRAINING, UPLOADING, COMPLETED)
CAPACITY = "CapacityError: Unable to provision requested ML compute capacity."
LIMIT = (
    "The account-level service limit 'ml.p5.4xlarge for training job usage' is 0 Instances, with "
    "current utilization of 0 Instances and a request delta of 1 Instances."
)
_WITH_INSTANCES = {"Training", "Downloading", "Uploading", "Interrupted", "Restarting"}


@dataclass
class Job:
    """One training job: its request, the states still to come, and when it got instances."""

    request: dict[str, Any]
    script: list[State]
    created: datetime
    reason: str | None = None
    looks: int = 0
    since: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None

    @property
    def state(self) -> State:
        return self.script[0]


@dataclass
class SageMakerAccount:
    """The jobs of an account; `refusals` are answered to the next requests, one each."""

    clock: Callable[[], datetime]
    refusals: list[tuple[str, str]] = field(default_factory=list)
    scripts: list[tuple[Sequence[State], str | None]] = field(default_factory=list)
    jobs: dict[str, Job] = field(default_factory=dict)
    busy: bool = False
    """True while it acts as a container, whose calls are not the platform's."""
    stopped: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    before: Callable[[str], object] = lambda _: None
    """Called with the operation's name before it is carried out."""
    after: Callable[[str], object] = lambda _: None
    """Called when it is carried out, before its answer arrives."""
    training: Callable[[str, Job], object] = lambda *_: None
    """Called at each look at a job that trains; writes what a trainer writes meanwhile."""
    leaves: Callable[[str, Job], object] = lambda *_: None
    """Called when a job ends with instances; writes what a container leaves behind."""

    def answer(self, events: Any) -> None:
        """Answer what a client, or all clients of a session, ask of SageMaker."""
        for operation, answer in {
            "CreateTrainingJob": self._create,
            "DescribeTrainingJob": self._describe,
            "StopTrainingJob": self._stop,
            "ListTrainingJobs": self._list,
        }.items():
            events.register(
                f"before-call.sagemaker.{operation}", self._answering(operation, answer)
            )

    def _answering(
        self, operation: str, answer: Callable[[dict[str, Any]], Answer]
    ) -> Callable[..., Answer]:
        def handle(params: dict[str, Any], **_: Any) -> Answer:
            self.before(operation)
            given = answer(json.loads(params["body"]))
            self.after(operation)
            return given

        return handle

    def _create(self, request: dict[str, Any]) -> Answer:
        if self.refusals:
            return refused(*self.refusals.pop(0))
        name = request["TrainingJobName"]
        if name in self.jobs:
            return refused("ResourceInUse", f"{name} already exists")
        script, reason = self.scripts.pop(0) if self.scripts else (HAPPY, None)
        self.jobs[name] = Job(request, list(script), self.clock(), reason, since=self.clock())
        self.created.append(name)
        return answered({"TrainingJobArn": f"arn:aws:sagemaker:::training-job/{name}"})

    def _describe(self, request: dict[str, Any]) -> Answer:
        job = self.jobs.get(request["TrainingJobName"])
        if job is None:
            return refused("ValidationException", "Requested resource not found.")
        if job.looks and len(job.script) > 1:
            del job.script[0]
            job.since = self.clock()
        job.looks += 1
        self._live(request["TrainingJobName"], job)
        return answered(self._described(request["TrainingJobName"], job))

    def _live(self, name: str, job: Job) -> None:
        status, secondary = job.state
        if secondary in _WITH_INSTANCES and job.started is None:
            job.started = self.clock()
        self.busy = True
        if secondary == "Training":
            self.training(name, job)
        if status in {"Completed", "Stopped", "Failed"} and job.ended is None:
            job.ended = self.clock()
            if job.started is not None:
                self.leaves(name, job)
        self.busy = False

    def _described(self, name: str, job: Job) -> dict[str, Any]:
        status, secondary = job.state
        described: dict[str, Any] = {
            "TrainingJobName": name,
            "TrainingJobStatus": status,
            "SecondaryStatus": secondary,
            "CreationTime": job.created,
            "Environment": job.request["Environment"],
            "SecondaryStatusTransitions": [{"Status": secondary, "StartTime": job.since}],
        }
        if job.started is not None:
            described["TrainingStartTime"] = job.started
        if job.ended is not None and job.started is not None:
            seconds = round((job.ended - job.started) / timedelta(seconds=1))
            described |= {
                "TrainingEndTime": job.ended,
                "TrainingTimeInSeconds": seconds,
                "BillableTimeInSeconds": seconds,
            }
        if status == "Failed":
            described["FailureReason"] = job.reason
        return described

    def _stop(self, request: dict[str, Any]) -> Answer:
        name = request["TrainingJobName"]
        job = self.jobs.get(name)
        if job is None:
            return refused("ValidationException", "Requested resource not found.")
        if job.state[0] != "InProgress":
            return refused(
                "ValidationException",
                f"The request was rejected because the training job is in status {job.state[0]}.",
            )
        self.stopped.append(name)
        job.script[:] = [STOPPING, STOPPED]
        job.looks = 0
        return answered({})

    def _list(self, request: dict[str, Any]) -> Answer:
        names = sorted(
            name
            for name, job in self.jobs.items()
            if request["NameContains"] in name and job.state[0] == request["StatusEquals"]
        )
        begin = int(request.get("NextToken", 0))
        most = request["MaxResults"]
        more = {"NextToken": str(begin + most)} if begin + most < len(names) else {}
        page = [{"TrainingJobName": name} for name in names[begin : begin + most]]
        return answered({"TrainingJobSummaries": page, **more})
