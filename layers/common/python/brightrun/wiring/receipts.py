"""The receipts of datasets, for every function that renders one with a base model's tokenizer."""

from __future__ import annotations

from functools import cache

from brightrun.aws.objects import S3Objects
from brightrun.core.settings import Settings
from brightrun.datasets.file_repository import S3DatasetFiles
from brightrun.datasets.receipts.repository import S3Tokenizers, TokenizerCache
from brightrun.datasets.receipts.service import ReceiptWriter
from brightrun.wiring import clients, dataset_table


class ReceiptSettings(Settings):
    """What a receipt reads: the dataset, its file and split, and the base model's tokenizer."""

    datasets_table: str
    datasets_bucket: str
    base_models_bucket: str


def receipt_writer() -> ReceiptWriter:
    """Compose the service that writes receipts."""
    settings = ReceiptSettings.from_environment()
    return ReceiptWriter(
        datasets=dataset_table.datasets(settings.datasets_table),
        files=S3DatasetFiles(clients.s3(), settings.datasets_bucket),
        splits=S3Objects(clients.s3(), settings.datasets_bucket),
        tokenizers=S3Tokenizers(clients.s3(), settings.base_models_bucket, _tokenizer_cache()),
    )


@cache
def _tokenizer_cache() -> TokenizerCache:
    """The tokenizer that a warm function keeps from one request to the next."""
    return {}
