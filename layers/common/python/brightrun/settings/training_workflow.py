"""What the functions of the state machine TrainAdapter are told by their environment."""

from __future__ import annotations

from pydantic import Field

from brightrun.settings import Settings


class TrainingWorkflowTables(Settings):
    """Where a job and what happens to it are written down."""

    training_jobs_table: str
    training_events_table: str


class StartTrainingSettings(TrainingWorkflowTables):
    """The start_training function."""

    datasets_table: str
    base_models_bucket: str
    models_bucket: str
    training_image: str
    training_role_arn: str
    train_adapter_state_machine_arn: str
    capacity_retry_seconds: int = Field(ge=1, le=3600)


class WatchTrainingSettings(TrainingWorkflowTables):
    """The watch_training function."""

    training_metrics_table: str
    notifications_table: str
    models_bucket: str
    train_adapter_state_machine_arn: str
    watch_seconds: int = Field(ge=1, le=600)
    capacity_retry_seconds: int = Field(ge=1, le=3600)


class FinishTrainingSettings(TrainingWorkflowTables):
    """The finish_training function."""

    datasets_table: str
    models_table: str
    cost_records_table: str
    notifications_table: str
    models_bucket: str
    watch_seconds: int = Field(ge=1, le=600)


class TrainingEventsSettings(TrainingWorkflowTables):
    """The training_events function."""

    train_adapter_state_machine_arn: str
