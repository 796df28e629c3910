"""The parts of the emulated SageMaker put together for one engine."""

from collections.abc import Mapping

from local.deploy.clients import client
from local.durability.room import DiskRoom
from local.sagemaker.attempt import JobContext
from local.sagemaker.base_model import TinyBaseModel
from local.sagemaker.endpoint import Endpoint
from local.sagemaker.events import announce
from local.sagemaker.faults import ScriptedFaults
from local.sagemaker.job_store import JobStore
from local.sagemaker.training_environment import TrainingEnvironment
from local.sagemaker.training_jobs import TrainingJobs
from local.settings import DataFolder, Settings

BASE_MODELS_OUTPUT = "BaseModelsBucketName"
"""The stack output that names the bucket of base models."""

_SHOWN_JOBS = 10


class SageMaker:
    """One engine's SageMaker: ``endpoint`` serves requests as soon as the object exists."""

    def __init__(self, settings: Settings, folder: DataFolder, endpoint_url: str) -> None:
        environment = TrainingEnvironment(
            settings.training_python, settings.training_entry_point, endpoint_url
        )
        self._store = JobStore(folder.training)
        self._s3 = client("s3", endpoint_url)
        faults = ScriptedFaults(folder.training / "faults.json")
        context = JobContext(
            self._store, self._s3, environment, faults, DiskRoom(folder.root), announce
        )
        self._base_model = TinyBaseModel(environment, folder.root / "tmp" / "base_model")
        # Jobs wait for the base model, because a channel that is half there looks like a whole one.
        self._jobs = TrainingJobs(context, settings.training_places, self._base_model.wait)
        self.endpoint = Endpoint(self._jobs.answer)

    def start(self, outputs: Mapping[str, str]) -> None:
        """Provide the base model and take up training jobs; the stacks must be deployed."""
        if BASE_MODELS_OUTPUT in outputs:
            self._base_model.provide(self._s3, outputs[BASE_MODELS_OUTPUT])
        self._jobs.start()

    def close(self) -> None:
        """Interrupt what runs; S3 must still be served, for the last checkpoints."""
        self._base_model.close()
        self._jobs.close()

    def status(self) -> dict[str, str | list[str]]:
        """Return what the status document says: the base model and the newest jobs, last first."""
        newest = self._store.all()[: -_SHOWN_JOBS - 1 : -1]
        return {
            "tiny_base_model": self._base_model.state,
            "training_jobs": [
                f"{job.name}: {job.status}"
                + (f" ({job.secondary_status})" if job.secondary_status != job.status else "")
                for job in newest
            ],
        }
