"""One attempt at a training job: from an empty folder to its end, or to an interruption."""

import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.durability.room import DiskRoom
from local.sagemaker.container import Container
from local.sagemaker.errors import JobFailed
from local.sagemaker.faults import CAPACITY_ERRORS, CAPACITY_REASON, INTERRUPTIONS, ScriptedFaults
from local.sagemaker.final_metrics import final_metrics
from local.sagemaker.job_store import JobStore
from local.sagemaker.ml_folder import download_channels, failure_reason, write_configuration
from local.sagemaker.request_rules import checkpoint_folder, max_runtime_seconds
from local.sagemaker.s3_folders import MirroredFolder, upload_archive
from local.sagemaker.training_environment import TrainingEnvironment
from local.sagemaker.training_job import TrainingJob

STOPPED = "Stopped"
MAX_RUNTIME = "MaxRuntimeExceeded"
INTERRUPTED = "Interrupted"

STOP_GRACE_SECONDS = 120.0
"""Between SIGTERM and SIGKILL. Source: the StopTrainingJob reference."""

INTERRUPTION_GRACE_SECONDS = 8.0
"""The same for a spot interruption or a stop of the engine: writing a checkpoint takes far less,
and ``local down`` waits 20 seconds."""

_POLL_SECONDS = 0.2
_COPY_SECONDS = 1.0
"""How often changed checkpoint files are copied to S3."""


@dataclass(frozen=True)
class JobContext:
    """What an attempt uses: the job store, S3, the container's environment, faults, the disk.

    ``announce`` is called with a job after each change of its status.
    """

    store: JobStore
    s3: Any
    environment: TrainingEnvironment
    faults: ScriptedFaults
    room: DiskRoom
    announce: Callable[[TrainingJob], None]


class StopSignal:
    """Why an attempt is to end early, and when its container is killed; both unset at first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reason: str | None = None
        self.kill_at = 0.0

    def send(self, reason: str, grace_seconds: float) -> None:
        """Request the end; only an interruption replaces an earlier request."""
        with self._lock:
            if self.reason is None or reason == INTERRUPTED:
                self.reason = reason
                self.kill_at = time.monotonic() + grace_seconds


class Attempt:
    """Runs a job once; a stop signal ends it early.

    It begins once the disk has room. What fails while the disk is full counts as an interruption:
    the job goes on from its checkpoints when there is room again.
    """

    def __init__(self, job: TrainingJob, stop: StopSignal, context: JobContext) -> None:
        self._job = job
        self._stop = stop
        self._context = context
        self._place = context.store.place(job.name)
        self._description = job.description

    def run(self) -> None:
        """Run the job to its end; failures of any kind end the job, too."""
        from boto3.exceptions import S3UploadFailedError
        from botocore.exceptions import ClientError

        try:
            self._run()
        except JobFailed as failure:
            self._fail(str(failure))
        except (ClientError, S3UploadFailedError) as error:
            self._fail(f"ClientError: {error}")
        except Exception as error:
            traceback.print_exc()
            if self._stop.reason != INTERRUPTED:  # S3 goes away with the engine
                self._fail(f"InternalServerError: {type(error).__name__}: {error}")
        if self._job.has_ended:
            self._place.clear()

    def _run(self) -> None:
        while self._context.room.shortage() and self._stop.reason is None:
            time.sleep(_POLL_SECONDS)
        if self._context.faults.take(CAPACITY_ERRORS):
            raise JobFailed(CAPACITY_REASON)
        command = self._context.environment.command()
        root = self._lay_out()
        copies = self._checkpoints(root)
        if copies is not None:
            copies.restore()
        code = None if self._stop.reason else self._train(command, root, copies)
        self._finish(root, code)

    def _lay_out(self) -> Path:
        self._place.clear()
        with self._context.store.lock:
            self._job.begin_attempt(time.time())
            root = self._place.attempt(self._job.attempt)
        self._enter("Downloading")
        write_configuration(root, self._description)
        download_channels(self._context.s3, root, self._description)
        return root

    def _checkpoints(self, root: Path) -> MirroredFolder | None:
        folder = checkpoint_folder(self._description)
        if folder is None:
            return None
        uri = self._description["CheckpointConfig"]["S3Uri"]
        return MirroredFolder(self._context.s3, uri, root / folder)

    def _train(self, command: list[str], root: Path, copies: MirroredFolder | None) -> int:
        """Run the container to its end; returns its exit code."""
        variables = self._context.environment.variables(self._job, root)
        self._enter("Training")
        container = Container(command, variables, root, self._place.log)
        try:
            code = self._watch(container, copies)
        finally:
            container.kill()
        if copies is not None:
            copies.push()
        return code

    def _watch(self, container: Container, copies: MirroredFolder | None) -> int:
        left = max_runtime_seconds(self._description) - self._job.earlier_seconds
        runtime_ends = time.monotonic() + left
        stopped = False
        next_copy = 0.0
        while (code := container.wait(_POLL_SECONDS)) is None:
            now = time.monotonic()
            if now >= runtime_ends and self._stop.reason is None:
                self._stop.send(MAX_RUNTIME, STOP_GRACE_SECONDS)
                self._enter("Stopping")
            if self._stop.reason is not None:
                if not stopped:
                    container.stop()
                    stopped = True
                if now >= self._stop.kill_at:
                    container.kill()
            if now >= next_copy:
                self._place.alive.touch()
                if copies is not None and copies.push():
                    self._interrupt_if_scripted()
                next_copy = time.monotonic() + _COPY_SECONDS
        return code

    def _finish(self, root: Path, code: int | None) -> None:
        reason = self._stop.reason
        if reason == INTERRUPTED:
            self._interrupt()
            return
        self._measure()
        if reason is None and code:
            self._upload(root, "output/data", "output.tar.gz")
            self._fail(failure_reason(root, self._place.log, code))
            return
        if code is not None:
            self._enter("Uploading")
            self._upload(root, "output/data", "output.tar.gz")
            model = self._upload(root, "model", "model.tar.gz")
            if model is not None:
                with self._context.store.lock:
                    self._description["ModelArtifacts"] = {"S3ModelArtifacts": model}
        self._enter(reason or "Completed")

    def _upload(self, root: Path, folder: str, name: str) -> str | None:
        """Upload a folder's archive; returns its URI, None for an empty folder."""
        if not any((root / folder).iterdir()):
            return None
        output = self._description["OutputDataConfig"]["S3OutputPath"].rstrip("/")
        uri = f"{output}/{self._job.name}/output/{name}"
        upload_archive(self._context.s3, root / folder, uri)
        return uri

    def _measure(self) -> None:
        definitions = self._description["AlgorithmSpecification"].get("MetricDefinitions")
        if definitions and self._place.log.exists():
            log = self._place.log.read_text("utf-8", errors="replace")
            metrics = final_metrics(definitions, log, time.time())
            with self._context.store.lock:
                self._description["FinalMetricDataList"] = metrics

    def _interrupt_if_scripted(self) -> None:
        """Simulate a spot interruption, if a fault is scripted, once there is a checkpoint."""
        if self._stop.reason is None and self._context.faults.take(INTERRUPTIONS):
            self._stop.send(INTERRUPTED, INTERRUPTION_GRACE_SECONDS)

    def _interrupt(self) -> None:
        with self._context.store.lock:
            if self._job.status != "Stopping":
                self._job.interrupt(time.time(), time.time())
            self._context.store.save(self._job)
        self._context.announce(self._job)

    def _enter(self, secondary: str) -> None:
        with self._context.store.lock:
            self._job.enter(secondary, time.time())
            self._context.store.save(self._job)
        self._context.announce(self._job)

    def _fail(self, reason: str) -> None:
        if self._context.room.shortage():
            self._interrupt()
            return
        with self._context.store.lock:
            self._job.fail(reason, time.time())
            self._context.store.save(self._job)
        self._context.announce(self._job)
