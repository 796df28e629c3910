"""Composition of the estimate function: estimates, their accuracy, and receipts of datasets."""

from __future__ import annotations

from functools import cache

from brightrun.aws.objects import S3Objects
from brightrun.datasets.file_repository import S3DatasetFiles
from brightrun.datasets.receipts.repository import S3Tokenizers, TokenizerCache
from brightrun.datasets.receipts.service import ReceiptWriter
from brightrun.estimates.service import AccuracyMeter, TrainingEstimator
from brightrun.http.app import Services
from brightrun.wiring import clients
from brightrun.wiring.estimates import EstimateSettings, datasets, jobs, training_estimator


class ReceiptSettings(EstimateSettings):
    """The environment of the estimate function: also the buckets of datasets and tokenizers."""

    datasets_bucket: str
    base_models_bucket: str


def accuracy_meter() -> AccuracyMeter:
    """Compose the service that measures the accuracy of estimates."""
    return AccuracyMeter(jobs(EstimateSettings.from_environment()))


def receipt_writer() -> ReceiptWriter:
    """Compose the service that writes receipts."""
    settings = ReceiptSettings.from_environment()
    return ReceiptWriter(
        datasets=datasets(settings),
        files=S3DatasetFiles(clients.s3(), settings.datasets_bucket),
        splits=S3Objects(clients.s3(), settings.datasets_bucket),
        tokenizers=S3Tokenizers(clients.s3(), settings.base_models_bucket, _tokenizer_cache()),
    )


@cache
def _tokenizer_cache() -> TokenizerCache:
    """The tokenizer that a warm function keeps from one request to the next."""
    return {}


SERVICES: Services = {
    AccuracyMeter: accuracy_meter,
    ReceiptWriter: receipt_writer,
    TrainingEstimator: training_estimator,
}
