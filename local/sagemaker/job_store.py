"""Training jobs on disk, a folder each, and the folders of their attempts."""

import json
import shutil
import threading
import time
from pathlib import Path

from local.durability.files import read_document, write_atomically
from local.durability.room import DiskFull, naming_a_full_disk, when_there_is_room
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
    """All jobs; hold ``lock`` while changing one, and save it before letting go.

    A job's record for which the disk has no room is written later; a new job is then refused.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.lock = threading.RLock()
        self._jobs: dict[str, TrainingJob] = {}
        self._unsaved: set[str] = set()
        for record in sorted(folder.glob("*/job.json")):
            job = TrainingJob(**read_document(record))
            self._jobs[job.name] = job

    def place(self, name: str) -> JobPlace:
        """Return the folder of a job."""
        return JobPlace(self._folder / name)

    def get(self, name: str) -> TrainingJob | None:
        """Return a job, None when there is none of this name."""
        return self._jobs.get(name)

    def save(self, job: TrainingJob) -> None:
        """Write a job's record, a new one's too; raises DiskFull for a new one."""
        try:
            self._write(job)
        except DiskFull:
            if job.name not in self._jobs:
                raise
            self._save_later(job)
        self._jobs[job.name] = job

    def _write(self, job: TrainingJob) -> None:
        place = self.place(job.name)
        with naming_a_full_disk(place.folder):
            place.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(place.record, json.dumps(job.as_record()).encode())

    def _save_later(self, job: TrainingJob) -> None:
        def write() -> None:
            with self.lock:
                self._write(job)
                self._unsaved.discard(job.name)

        if job.name not in self._unsaved:
            self._unsaved.add(job.name)
            writer = threading.Thread(
                target=when_there_is_room, args=(write, time.sleep), daemon=True
            )
            writer.start()

    def all(self) -> list[TrainingJob]:
        """Return every job, oldest first."""
        with self.lock:
            jobs = list(self._jobs.values())
        return sorted(jobs, key=lambda job: (job.description["CreationTime"], job.name))
