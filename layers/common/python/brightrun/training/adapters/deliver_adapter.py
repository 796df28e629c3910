"""Checks an adapter's archive and stores its files for download."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import IO

from brightrun.core.errors import UnusableAdapterError
from brightrun.core.timestamps import iso
from brightrun.datasets.model import Dataset
from brightrun.training.adapters.archive import files_of
from brightrun.training.adapters.inspect_adapter import Adapter, inspect
from brightrun.training.adapters.model import ArtifactFile, ModelArtifact, model_id_of
from brightrun.training.adapters.repository import ArtifactFiles
from brightrun.training.adapters.results import TrainingResults, quality_metrics
from brightrun.training.model import TrainingJob
from brightrun.training.sagemaker.request import artifact_key

_BUFFER = 1024 * 1024


def adapter_prefix(owner_id: str, model_id: str) -> str:
    """Where an adapter's files are kept: apart from `jobs/`, which expires."""
    return f"{owner_id}/{model_id}"


@dataclass(frozen=True, slots=True)
class AdapterDelivery:
    """Reads the archive twice, to check it and then to store it: no unchecked file is stored.

    Repeating it stores the same files under the same keys.
    """

    files: ArtifactFiles

    def checked(self, job: TrainingJob, dataset: Dataset) -> Adapter:
        """Read and check the job's artifact; raises UnusableAdapterError, StorageError."""
        with self._archive(job) as archive:
            return inspect(archive, job, dataset.sha256)

    def deliver(
        self, job: TrainingJob, adapter: Adapter, total_cost: float, now: datetime
    ) -> ModelArtifact:
        """Store a checked adapter's files and return its model, which is not stored here.

        Raises UnusableAdapterError, StorageError.
        """
        model_id = model_id_of(job.job_id)
        stored = self._store(job, adapter, adapter_prefix(job.owner_id, model_id))
        return ModelArtifact(
            owner_id=job.owner_id,
            model_id=model_id,
            job_id=job.job_id,
            dataset_id=job.dataset_id,
            name=f"{job.dataset_name} - {iso(now)[:10]}"[:200],
            base_model=job.base_model,
            created_at=iso(now),
            files=stored,
            quality_metrics=quality_metrics(adapter.results),
            training_summary=_summary(adapter.results, total_cost),
            configuration={
                "preset_id": job.preset_id,
                "hyperparameters": asdict(job.hyperparameters),
                "gpu_config": asdict(job.gpu_config),
                "trainer_settings": {
                    name: value
                    for name, value in adapter.manifest.settings.items()
                    if isinstance(value, bool | int | float | str)
                },
            },
            description=f"LoRA adapter for {adapter.manifest.base_model.id}",
            compatibility=adapter.compatibility,
        )

    def _archive(self, job: TrainingJob) -> IO[bytes]:
        archive = self.files.open(artifact_key(job))
        if archive is None:
            raise UnusableAdapterError("The training produced no adapter.")
        return archive

    def _store(self, job: TrainingJob, adapter: Adapter, prefix: str) -> list[ArtifactFile]:
        """Store the files one by one; each is hashed while it is read, and compared."""
        checked = {one.path: one for one in adapter.files}
        stored = []
        with self._archive(job) as archive:
            for name, size, content in files_of(archive):
                key = f"{prefix}/{name}"
                source = io.BufferedReader(content, _BUFFER)
                self.files.write(key, source, size)
                if checked.get(name) is None or checked[name].sha256 != content.sha256:
                    raise UnusableAdapterError(f"{name} changed while it was being delivered.")
                stored.append(ArtifactFile(name, key, size, content.sha256))
        return sorted(stored, key=lambda file: file.name)


def _summary(results: TrainingResults, total_cost: float) -> dict[str, object]:
    seconds = results.elapsed_seconds
    return {
        "epochs_completed": results.epochs_completed,
        "total_steps": results.steps,
        "final_loss": results.final_loss,
        "training_duration_hours": None if seconds is None else round(seconds / 3600, 4),
        "total_cost": total_cost,
        "planned_steps": results.total_steps,
        "published_step": results.published_step,
        "stopped_because": results.stopped_because,
        "tokens": results.tokens,
        "tokens_per_second": results.tokens_per_second,
    }
