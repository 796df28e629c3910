"""Estimate a training job's time and cost, before anybody pays for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

from brightrun.domain.base_models import BaseModelEntry
from brightrun.domain.dataset import Dataset
from brightrun.domain.estimate import Estimate, estimate
from brightrun.domain.estimate_calibration import Calibration
from brightrun.domain.estimate_history import EstimatedJob, learn
from brightrun.domain.estimate_v2 import Plan
from brightrun.domain.estimate_wish import Wish, answer
from brightrun.domain.pages import Page
from brightrun.domain.training_job import GpuConfig, Hyperparameters
from brightrun.domain.training_size import dataset_size

if TYPE_CHECKING:
    from brightrun.ports.datasets import DatasetRepository

JOBS_LEARNED_FROM = 100
"""The newest completed jobs of an owner: one page of the list."""


class CompletedJobs(Protocol):
    """The finished training jobs of an owner, which estimates learn from."""

    def jobs(
        self, owner_id: str, *, status: Literal["completed"], limit: int, cursor: str | None
    ) -> Page[EstimatedJob]:
        """List completed jobs, newest first."""


class TrainingEstimator:
    """Estimates for an owner, corrected by what the owner's own jobs took."""

    def __init__(self, datasets: DatasetRepository, jobs: CompletedJobs) -> None:
        self._datasets = datasets
        self._jobs = jobs

    def answer(self, owner_id: str, wish: Wish) -> dict[str, Any]:
        """Answer a wish in its profile's shape.

        Raises InvalidInputError for values out of range and where neither a dataset nor numbers
        are named, UnknownBaseModelError, NotFoundError for a dataset that is not the owner's.
        """
        dataset = None
        if wish.dataset_id is not None:
            dataset = self._datasets.dataset(owner_id, wish.dataset_id)
        calibration = Calibration() if wish.profile == "v1" else self.calibration(owner_id)
        return answer(wish, dataset, calibration)

    def of_dataset(
        self,
        owner_id: str,
        dataset: Dataset,
        model: BaseModelEntry,
        gpu: GpuConfig,
        hyper: Hyperparameters,
    ) -> Estimate:
        """Estimate a job that is about to be made; raises InvalidInputError for the GPU."""
        plan = Plan(dataset_size(dataset), model, gpu, hyper, name=dataset.name)
        return estimate(plan, self.calibration(owner_id))

    def calibration(self, owner_id: str) -> Calibration:
        """What the owner's newest completed jobs teach."""
        page = self._jobs.jobs(owner_id, status="completed", limit=JOBS_LEARNED_FROM, cursor=None)
        return learn(page.records)
