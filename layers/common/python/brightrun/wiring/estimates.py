"""The estimates of training jobs, for every function that asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brightrun.core.settings import Settings
from brightrun.estimates.service import TrainingEstimator
from brightrun.wiring import clients, dataset_table

if TYPE_CHECKING:
    from brightrun.training.repository import DynamoTrainingJobs


class EstimateSettings(Settings):
    """What an estimate reads: the dataset, and earlier jobs."""

    datasets_table: str
    training_jobs_table: str


class Endpoint(Settings):
    """The endpoint of AWS; the SDK reads the same variable, which no deployment in AWS sets."""

    aws_endpoint_url: str = ""

    @property
    def is_local(self) -> bool:
        """True if SageMaker is emulated, so that every instance is the developer's machine."""
        return bool(self.aws_endpoint_url)


def training_estimator() -> TrainingEstimator:
    """Compose the estimator."""
    settings = EstimateSettings.from_environment()
    return TrainingEstimator(
        dataset_table.datasets(settings.datasets_table),
        jobs(settings),
        own_machine=Endpoint.from_environment().is_local,
    )


def jobs(settings: EstimateSettings) -> DynamoTrainingJobs:
    """Open the training jobs to read."""
    from brightrun.training.repository import DynamoTrainingJobs, TrainingTables

    return DynamoTrainingJobs(clients.dynamodb(), TrainingTables(settings.training_jobs_table))
