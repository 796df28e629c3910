"""The composition root of what estimates training jobs and says how wrong estimates were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brightrun import bootstrap
from brightrun.settings.training import EstimateSettings

if TYPE_CHECKING:
    from brightrun.repositories.training_jobs import DynamoTrainingJobs
    from brightrun.services.estimate_training import TrainingEstimator
    from brightrun.services.measure_accuracy import AccuracyMeter


def training_estimator() -> TrainingEstimator:
    """Build what estimates; any function that reads datasets and training jobs may ask for it."""
    from brightrun.repositories.datasets import DatasetTables, DynamoDatasets
    from brightrun.services.estimate_training import TrainingEstimator

    environment = EstimateSettings.from_environment()
    return TrainingEstimator(
        datasets=DynamoDatasets(bootstrap.dynamodb(), DatasetTables(environment.datasets_table)),
        jobs=_jobs(environment),
    )


def accuracy_meter() -> AccuracyMeter:
    """Build what measures estimates."""
    from brightrun.services.measure_accuracy import AccuracyMeter

    return AccuracyMeter(_jobs(EstimateSettings.from_environment()))


def _jobs(environment: EstimateSettings) -> DynamoTrainingJobs:
    from brightrun.repositories.training_jobs import DynamoTrainingJobs, TrainingTables

    return DynamoTrainingJobs(bootstrap.dynamodb(), TrainingTables(environment.training_jobs_table))
