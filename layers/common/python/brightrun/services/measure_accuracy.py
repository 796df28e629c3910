"""Say how wrong the estimates were, by the owner's finished jobs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from brightrun.domain.estimate_calibration import Calibration, Factor
from brightrun.domain.estimate_history import Accuracy, FinishedJob, accuracy, finished_job, learn
from brightrun.services.estimate_training import CompletedJobs

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
