"""Training jobs on disk, a folder each, and the folders of their attempts."""

import json
import shutil
import threading
from pathlib import Path

from local.durability.files import write_atomically
from local.sagemaker.training_job import TrainingJob


class JobPlace:
    """The folder of one job: its record, its log, and the ``/opt/ml`` of its present attempt."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def record(self) -> Path:
        """What is known of the job."""
        return self.folder / "job.json"

    @property
    def log(self) -> Path:
        """What the container printed, over all attempts."""
        return self.folder / "train.log"

    @property
    def alive(self) -> Path:
        """Touched while an attempt runs, so that its end is known after a kill."""
        return self.folder / "alive"

    def attempt(self, number: int) -> Path:
        """Return the root of an attempt, ``/opt/ml`` to its container."""
        return self.folder / f"attempt-{number}"

    def clear(self) -> None:
        """Remove the roots of all attempts, even while a killed process still writes there."""
        for root in self.folder.glob("attempt-*"):
            shutil.rmtree(root, ignore_errors=True)


class JobStore:
    """All jobs; hold ``lock`` while changing one, and save it before letting go."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.lock = threading.RLock()
        self._jobs: dict[str, TrainingJob] = {}
        for record in sorted(folder.glob("*/job.json")):
            job = TrainingJob(**json.loads(record.read_bytes()))
            self._jobs[job.name] = job

    def place(self, name: str) -> JobPlace:
        """Return the folder of a job."""
        return JobPlace(self._folder / name)

    def get(self, name: str) -> TrainingJob | None:
        """Return a job, None when there is none of this name."""
        return self._jobs.get(name)

    def save(self, job: TrainingJob) -> None:
        """Write a job's record, a new one's too."""
        place = self.place(job.name)
        place.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(place.record, json.dumps(job.as_record()).encode())
        self._jobs[job.name] = job

    def all(self) -> list[TrainingJob]:
        """Return every job, oldest first."""
        with self.lock:
            jobs = list(self._jobs.values())
        return sorted(jobs, key=lambda job: (job.description["CreationTime"], job.name))
