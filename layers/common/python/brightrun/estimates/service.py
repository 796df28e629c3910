"""Estimates training jobs, and measures how accurate earlier estimates were."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from brightrun.catalog.base_models import BaseModelEntry
from brightrun.catalog.gpu_instances import GpuConfig
from brightrun.catalog.presets import Hyperparameters
from brightrun.core.pages import Page
from brightrun.datasets.model import Dataset
from brightrun.estimates.calibration import (
    Accuracy,
    Calibration,
    EstimatedJob,
    Factor,
    FinishedJob,
    accuracy,
    finished_job,
    learn,
)
from brightrun.estimates.model import Estimate, EstimateRequest, answer, estimate
from brightrun.estimates.size import dataset_size
from brightrun.estimates.v2 import Plan

if TYPE_CHECKING:
    from brightrun.datasets.repository import DatasetRepository


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

    def answer(self, owner_id: str, wish: EstimateRequest) -> dict[str, Any]:
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


JOBS_MEASURED = 100
"""The newest completed jobs: the same that estimates learn from."""


@dataclass(frozen=True, slots=True)
class BucketAccuracy:
    """One kind of run: how wrong its estimates were, and the factor that the next one gets."""

    bucket: str
    accuracy: Accuracy
    factor: Factor


@dataclass(frozen=True, slots=True)
class Report:
    """All kinds together and each by itself; `passed_over` completed jobs said nothing."""

    accuracy: Accuracy
    passed_over: int
    buckets: tuple[BucketAccuracy, ...]


class AccuracyMeter:
    """Compares the estimates that jobs were made with to what they took."""

    def __init__(self, jobs: CompletedJobs) -> None:
        self._jobs = jobs

    def report(self, owner_id: str) -> Report:
        """Measure the owner's newest completed jobs; those that ended early are passed over."""
        page = self._jobs.jobs(owner_id, status="completed", limit=JOBS_MEASURED, cursor=None)
        finished = [one for job in page.records if (one := finished_job(job))]
        return Report(
            accuracy=accuracy(finished),
            passed_over=len(page.records) - len(finished),
            buckets=_by_bucket(finished, learn(page.records)),
        )


def _by_bucket(jobs: list[FinishedJob], calibration: Calibration) -> tuple[BucketAccuracy, ...]:
    kinds: dict[str, list[FinishedJob]] = defaultdict(list)
    for job in jobs:
        kinds[job.bucket].append(job)
    return tuple(
        BucketAccuracy(bucket, accuracy(found), calibration.of("train", bucket))
        for bucket, found in sorted(kinds.items())
    )
