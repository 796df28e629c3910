"""What the functions of datasets and notifications are told by their environment."""

from __future__ import annotations

from brightrun.settings import Settings


class DatasetsSettings(Settings):
    """The datasets function."""

    datasets_table: str
    training_files_table: str
    datasets_bucket: str
    training_files_bucket: str
    validate_dataset_state_machine_arn: str


class ValidateDatasetSettings(Settings):
    """The validate_dataset function."""

    datasets_table: str
    notifications_table: str
    datasets_bucket: str


class NotificationsSettings(Settings):
    """The notifications function."""

    notifications_table: str
