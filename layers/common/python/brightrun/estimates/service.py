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
"""The newest completed jobs of an owner that estimates are corrected by and compared with."""


class CompletedJobs(Protocol):
    """The finished training jobs of an owner, which estimates learn from."""

    def jobs(
        self, owner_id: str, *, status: Literal["completed"], limit: int, cursor: str | None
    ) -> Page[EstimatedJob]:
        """List completed jobs, newest first."""


class TrainingEstimator:
    """Estimates, corrected by what the owner's finished jobs took.

    `own_machine` is True if every instance is the developer's own machine, which bills nothing.
    """

    def __init__(
        self, datasets: DatasetRepository, jobs: CompletedJobs, *, own_machine: bool = False
    ) -> None:
        self._datasets = datasets
        self._jobs = jobs
        self._own_machine = own_machine

    def answer(self, owner_id: str, request: EstimateRequest) -> dict[str, Any]:
        """The estimate in the shape of the request's profile.

        Raises InvalidInputError for values out of range and for a request with neither a dataset
        nor numbers, UnknownBaseModelError, NotFoundError for a dataset that is not the owner's.
        """
        dataset = None
        if request.dataset_id is not None:
            dataset = self._datasets.dataset(owner_id, request.dataset_id)
        calibration = Calibration() if request.profile == "v1" else self.calibration(owner_id)
        return answer(request, dataset, calibration, own_cpu=self._own_machine)

    def of_dataset(
        self,
        owner_id: str,
        dataset: Dataset,
        model: BaseModelEntry,
        gpu: GpuConfig,
        hyper: Hyperparameters,
    ) -> Estimate:
        """Estimate a job that is being created; raises InvalidInputError for an unknown GPU."""
        plan = Plan(dataset_size(dataset), model, gpu, hyper, name=dataset.name)
        found = estimate(plan, self.calibration(owner_id))
        return found.on_own_machine() if self._own_machine else found

    def calibration(self, owner_id: str) -> Calibration:
        """The calibration by the owner's newest completed jobs."""
        page = self._jobs.jobs(owner_id, status="completed", limit=JOBS_LEARNED_FROM, cursor=None)
        return learn(page.records)


@dataclass(frozen=True, slots=True)
class BucketAccuracy:
    """A bucket of similar runs: the accuracy of its estimates, and the current correction."""

    bucket: str
    accuracy: Accuracy
    factor: Factor


@dataclass(frozen=True, slots=True)
class AccuracyReport:
    """All buckets together and each by itself; `passed_over` counts unusable completed jobs."""

    accuracy: Accuracy
    passed_over: int
    buckets: tuple[BucketAccuracy, ...]


class AccuracyMeter:
    """Compares the estimates that jobs were created with to what the jobs took."""

    def __init__(self, jobs: CompletedJobs) -> None:
        self._jobs = jobs

    def report(self, owner_id: str) -> AccuracyReport:
        """Measure the owner's newest completed jobs; jobs that ended early are skipped."""
        page = self._jobs.jobs(owner_id, status="completed", limit=JOBS_LEARNED_FROM, cursor=None)
        finished = [one for job in page.records if (one := finished_job(job))]
        return AccuracyReport(
            accuracy=accuracy(finished),
            passed_over=len(page.records) - len(finished),
            buckets=_by_bucket(finished, learn(page.records)),
        )


def _by_bucket(jobs: list[FinishedJob], calibration: Calibration) -> tuple[BucketAccuracy, ...]:
    buckets: dict[str, list[FinishedJob]] = defaultdict(list)
    for job in jobs:
        buckets[job.bucket].append(job)
    return tuple(
        BucketAccuracy(bucket, accuracy(found), calibration.of("train", bucket))
        for bucket, found in sorted(buckets.items())
    )
