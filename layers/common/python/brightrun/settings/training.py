"""What the functions that start, show and deliver trainings are told by their environment."""

from __future__ import annotations

from brightrun.settings import Settings


class JobsSettings(Settings):
    """The jobs function."""

    training_jobs_table: str
    training_metrics_table: str
    training_events_table: str
    datasets_table: str
    notifications_table: str
    cost_records_table: str
    idempotency_table: str
    train_adapter_state_machine_arn: str


class Endpoint(Settings):
    """Where AWS is; the AWS SDK reads the same variable, which no deployment in AWS sets."""

    aws_endpoint_url: str = ""

    @property
    def is_local(self) -> bool:
        """True where SageMaker is emulated, so that every instance is the developer's machine."""
        return bool(self.aws_endpoint_url)


class EstimateSettings(Settings):
    """What an estimate reads: the dataset, and what earlier jobs took."""

    datasets_table: str
    training_jobs_table: str


class ReceiptSettings(EstimateSettings):
    """The estimate function: beside that, a dataset's file and a base model's tokenizer."""

    datasets_bucket: str
    base_models_bucket: str


class ModelsSettings(Settings):
    """The models function."""

    models_table: str
    models_bucket: str


class CostsSettings(Settings):
    """The costs function."""

    cost_records_table: str
