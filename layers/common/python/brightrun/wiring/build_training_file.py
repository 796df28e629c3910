"""Composition of the build_training_file function."""

from __future__ import annotations

from brightrun.training_files.build_version import VersionBuilder
from brightrun.wiring import clients, training_file_stores, training_file_versions


class BuildTrainingFileSettings(training_file_versions.VersionSettings):
    """The environment of the build_training_file function."""

    training_files_table: str


def version_builder() -> VersionBuilder:
    """Compose the service that builds versions."""
    settings = BuildTrainingFileSettings.from_environment()
    return VersionBuilder(
        files=training_file_stores.rows(settings.training_files_table),
        assembler=training_file_versions.assembler(settings),
        clock=clients.clock,
    )
