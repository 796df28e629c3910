"""Composition of the training_files function."""

from __future__ import annotations

from brightrun.aws.objects import S3Objects
from brightrun.aws.request_keys import DynamoRequestKeys
from brightrun.http.app import Services
from brightrun.training_files.build_training_file import TrainingFileBuilder
from brightrun.training_files.find_duplicates import DuplicateFinder
from brightrun.training_files.gateway import StepFunctionsBuild
from brightrun.training_files.preferences import PreferenceExporter
from brightrun.training_files.service import TrainingFileReader
from brightrun.wiring import (
    clients,
    training_file_stores,
    training_file_versions,
)


class TrainingFilesSettings(training_file_versions.VersionSettings):
    """The environment of the training_files function."""

    training_files_table: str
    idempotency_table: str
    build_training_file_state_machine_arn: str


def training_file_builder() -> TrainingFileBuilder:
    """Compose the service that creates training files and their versions."""
    settings = TrainingFilesSettings.from_environment()
    assembler = training_file_versions.assembler(settings)
    return TrainingFileBuilder(
        files=training_file_stores.rows(settings.training_files_table),
        selector=assembler.selector,
        assembler=assembler,
        workflow=StepFunctionsBuild(
            clients.step_functions(), settings.build_training_file_state_machine_arn
        ),
        keys=DynamoRequestKeys(clients.dynamodb(), settings.idempotency_table),
        clock=clients.clock,
    )


def duplicate_finder() -> DuplicateFinder:
    """Compose the service that compares conversations."""
    settings = TrainingFilesSettings.from_environment()
    return DuplicateFinder(training_file_versions.assembler(settings).selector)


def preference_exporter() -> PreferenceExporter:
    """Compose the service that makes preference data of edits."""
    settings = TrainingFilesSettings.from_environment()
    return PreferenceExporter(training_file_versions.assembler(settings).selector)


def training_file_reader() -> TrainingFileReader:
    """Compose the service that reads training files."""
    settings = TrainingFilesSettings.from_environment()
    return TrainingFileReader(
        files=training_file_stores.rows(settings.training_files_table),
        links=S3Objects(clients.s3(), settings.training_files_bucket),
        clock=clients.clock,
    )


SERVICES: Services = {
    DuplicateFinder: duplicate_finder,
    PreferenceExporter: preference_exporter,
    TrainingFileBuilder: training_file_builder,
    TrainingFileReader: training_file_reader,
}
