"""The operations on training jobs, in SageMaker's words."""

import copy
import time
from collections.abc import Callable
from typing import Any

from local.sagemaker.attempt import STOP_GRACE_SECONDS, STOPPED, Attempt, JobContext, StopSignal
from local.sagemaker.errors import RequestRefused, invalid
from local.sagemaker.faults import LIMIT_EXCEEDED, THROTTLED, limit_message
from local.sagemaker.job_listing import list_jobs
from local.sagemaker.request_rules import check_job
from local.sagemaker.service_model import ServiceModel
from local.sagemaker.training_job import TrainingJob, new_job
from local.sagemaker.training_queue import TrainingQueue

Document = dict[str, Any]


class TrainingJobs:
    """Creates, describes, lists and stops jobs, and resumes those that a stop interrupted.

    Jobs start after ``until_ready`` has returned, each in its own thread.
    """

    def __init__(
        self,
        context: JobContext,
        places: int,
        until_ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._context = context
        self._store = context.store
        self._model = ServiceModel()
        self._started = False
        self._queue = TrainingQueue(self._run, places, until_ready)
        self._operations: dict[str, Callable[[Document], Document]] = {
            "CreateTrainingJob": self._create,
            "DescribeTrainingJob": self._describe,
            "StopTrainingJob": self._stop,
            "ListTrainingJobs": lambda request: list_jobs(self._store.all(), request),
            "AddTags": self._add_tags,
            "ListTags": self._list_tags,
        }

    def start(self) -> None:
        """Take up the jobs that were under way at the last stop, and begin to run jobs."""
        for job in self._store.all():
            if not job.has_ended:
                self._take_up(job)
        self._queue.start()
        self._started = True

    def close(self) -> None:
        """Interrupt running jobs; they resume from their checkpoints at the next start."""
        self._queue.close()

    def answer(self, operation: str, request: Any) -> Document:
        """Answer one request; raises RequestRefused."""
        if not self._started:
            raise RequestRefused("ServiceUnavailable", "The system is starting.")
        self._model.check(operation, request)
        if operation not in self._operations:
            message = f"{operation} cannot be run locally: only {', '.join(self._operations)} can."
            raise RequestRefused("UnknownOperationException", message)
        return self._operations[operation](request)

    def _create(self, request: Document) -> Document:
        check_job(request)
        faults = self._context.faults
        if faults.take(THROTTLED):
            raise RequestRefused("ThrottlingException", "Rate exceeded")
        if faults.take(LIMIT_EXCEEDED):
            message = limit_message(request["ResourceConfig"]["InstanceType"])
            raise RequestRefused("ResourceLimitExceeded", message)
        job = new_job(request, self._model.members_of_answer("DescribeTrainingJob"), time.time())
        with self._store.lock:
            known = self._store.get(job.name)
            if known is not None:
                raise RequestRefused(
                    "ResourceInUse",
                    "Training job names must be unique within an AWS account and region, and a"
                    " training job with this name already exists"
                    f" ({known.description['TrainingJobArn']})",
                )
            if self._queue.is_full:
                job.enter("Pending", time.time())
            self._store.save(job)
        self._context.announce(job)
        self._queue.put(job.name)
        return {"TrainingJobArn": job.description["TrainingJobArn"]}

    def _describe(self, request: Document) -> Document:
        with self._store.lock:
            return copy.deepcopy(self._find(request["TrainingJobName"]).description)

    def _stop(self, request: Document) -> Document:
        job = self._find(request["TrainingJobName"])
        with self._store.lock:
            if job.status != "InProgress":
                raise invalid(
                    f"The request was rejected because the training job is in status {job.status}."
                )
            job.enter("Stopping", time.time())
            if job.waiting:
                job.enter("Stopped", time.time())
            self._store.save(job)
            self._queue.stop(job.name, STOPPED, STOP_GRACE_SECONDS)
        self._context.announce(job)
        return {}

    def _add_tags(self, request: Document) -> Document:
        job = self._find(request["ResourceArn"].rpartition("/")[2])
        with self._store.lock:
            tags = {tag["Key"]: tag for tag in (*job.tags, *request["Tags"])}
            job.tags = list(tags.values())
            self._store.save(job)
        return {"Tags": job.tags}

    def _list_tags(self, request: Document) -> Document:
        return {"Tags": self._find(request["ResourceArn"].rpartition("/")[2]).tags}

    def _find(self, name: str) -> TrainingJob:
        job = self._store.get(name)
        if job is None:
            raise invalid("Requested resource not found.")
        return job

    def _take_up(self, job: TrainingJob) -> None:
        """Resume a job that had not ended; one in status Stopping is stopped now."""
        now = time.time()
        alive = self._store.place(job.name).alive
        with self._store.lock:
            job.waiting = True
            if job.status == "Stopping":
                job.enter("Stopped", now)
            elif job.attempt_start is not None:
                job.interrupt(alive.stat().st_mtime if alive.exists() else now, now)
            if job.secondary_status == "Interrupted":
                job.enter("Restarting", now)
            self._store.save(job)
        self._context.announce(job)
        if not job.has_ended:
            self._queue.put(job.name)

    def _run(self, name: str, stop: StopSignal) -> None:
        job = self._find(name)
        with self._store.lock:
            if job.has_ended:
                self._store.place(name).clear()
                return
            job.waiting = False
            if job.secondary_status == "Pending":
                job.enter("Starting", time.time())
            self._store.save(job)
        Attempt(job, stop, self._context).run()
        if not job.has_ended and not self._queue.closing:
            self._take_up(job)
