"""Composition of the models function."""

from __future__ import annotations

from brightrun.aws.objects import S3Objects
from brightrun.core.settings import Settings
from brightrun.http.app import Services
from brightrun.training.adapters.repository import DynamoModels
from brightrun.training.adapters.service import ModelReader
from brightrun.wiring import clients


class ModelsSettings(Settings):
    """The environment of the models function."""

    models_table: str
    models_bucket: str


def model_reader() -> ModelReader:
    """Compose the service that reads delivered models and signs links to their files."""
    settings = ModelsSettings.from_environment()
    return ModelReader(
        models=DynamoModels(clients.dynamodb(), settings.models_table),
        links=S3Objects(clients.s3(), settings.models_bucket),
        clock=clients.clock,
    )


SERVICES: Services = {ModelReader: model_reader}
