"""One attempt at a training job: from an empty folder to its end, or to an interruption."""

import time
import traceback
from pathlib import Path

from local.sagemaker.container import Container
from local.sagemaker.errors import JobFailed
from local.sagemaker.faults import CAPACITY_ERRORS, CAPACITY_REASON, INTERRUPTIONS
from local.sagemaker.final_metrics import final_metrics
from local.sagemaker.ml_folder import download_channels, failure_reason, write_configuration
from local.sagemaker.orders import (
    INTERRUPTED,
    INTERRUPTION_GRACE_SECONDS,
    MAX_RUNTIME,
    STOP_GRACE_SECONDS,
    Orders,
)
from local.sagemaker.request_rules import checkpoint_folder, max_runtime_seconds
from local.sagemaker.s3_folders import MirroredFolder, upload_archive
from local.sagemaker.surroundings import Surroundings
from local.sagemaker.training_job import TrainingJob

_POLL_SECONDS = 0.2
_COPY_SECONDS = 1.0
"""How often changed checkpoint files are copied to S3."""


class Attempt:
    """Runs a job once, following orders to end early."""

    def __init__(self, job: TrainingJob, orders: Orders, surroundings: Surroundings) -> None:
        self._job = job
        self._orders = orders
        self._around = surroundings
        self._place = surroundings.store.place(job.name)
        self._description = job.description

    def run(self) -> None:
        """Bring the job to its end; failures of any kind are an end too."""
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
            if self._orders.reason != INTERRUPTED:  # S3 goes away with the engine
                self._fail(f"InternalServerError: {type(error).__name__}: {error}")
        if self._job.has_ended:
            self._place.clear()

    def _run(self) -> None:
        if self._around.faults.take(CAPACITY_ERRORS):
            raise JobFailed(CAPACITY_REASON)
        command = self._around.environment.command()
        root = self._lay_out()
        copies = self._checkpoints(root)
        if copies is not None:
            copies.restore()
        code = None if self._orders.reason else self._train(command, root, copies)
        self._finish(root, code)

    def _lay_out(self) -> Path:
        self._place.clear()
        with self._around.store.lock:
            self._job.begin_attempt(time.time())
            root = self._place.attempt(self._job.attempt)
        self._enter("Downloading")
        write_configuration(root, self._description)
        download_channels(self._around.s3, root, self._description)
        return root

    def _checkpoints(self, root: Path) -> MirroredFolder | None:
        folder = checkpoint_folder(self._description)
        if folder is None:
            return None
        uri = self._description["CheckpointConfig"]["S3Uri"]
        return MirroredFolder(self._around.s3, uri, root / folder)

    def _train(self, command: list[str], root: Path, copies: MirroredFolder | None) -> int:
        """Run the container to its end; returns its exit code."""
        variables = self._around.environment.variables(self._job, root)
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
            if now >= runtime_ends and self._orders.reason is None:
                self._orders.give(MAX_RUNTIME, STOP_GRACE_SECONDS)
                self._enter("Stopping")
            if self._orders.reason is not None:
                if not stopped:
                    container.stop()
                    stopped = True
                if now >= self._orders.kill_at:
                    container.kill()
            if now >= next_copy:
                self._place.alive.touch()
                if copies is not None and copies.push():
                    self._interrupt_on_purpose()
                next_copy = time.monotonic() + _COPY_SECONDS
        return code

    def _finish(self, root: Path, code: int | None) -> None:
        reason = self._orders.reason
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
                with self._around.store.lock:
                    self._description["ModelArtifacts"] = {"S3ModelArtifacts": model}
        self._enter(reason or "Completed")

    def _upload(self, root: Path, folder: str, name: str) -> str | None:
        """Upload a folder's archive; returns its URI, None for a folder that holds nothing."""
        if not any((root / folder).iterdir()):
            return None
        output = self._description["OutputDataConfig"]["S3OutputPath"].rstrip("/")
        uri = f"{output}/{self._job.name}/output/{name}"
        upload_archive(self._around.s3, root / folder, uri)
        return uri

    def _measure(self) -> None:
        definitions = self._description["AlgorithmSpecification"].get("MetricDefinitions")
        if definitions and self._place.log.exists():
            log = self._place.log.read_text("utf-8", errors="replace")
            metrics = final_metrics(definitions, log, time.time())
            with self._around.store.lock:
                self._description["FinalMetricDataList"] = metrics

    def _interrupt_on_purpose(self) -> None:
        """Take the machine away, once there is a checkpoint to go on from, if a script says so."""
        if self._orders.reason is None and self._around.faults.take(INTERRUPTIONS):
            self._orders.give(INTERRUPTED, INTERRUPTION_GRACE_SECONDS)

    def _interrupt(self) -> None:
        with self._around.store.lock:
            if self._job.status != "Stopping":
                self._job.interrupt(time.time(), time.time())
            self._around.store.save(self._job)
        self._around.announce(self._job)

    def _enter(self, secondary: str) -> None:
        with self._around.store.lock:
            self._job.enter(secondary, time.time())
            self._around.store.save(self._job)
        self._around.announce(self._job)

    def _fail(self, reason: str) -> None:
        with self._around.store.lock:
            self._job.fail(reason, time.time())
            self._around.store.save(self._job)
        self._around.announce(self._job)
