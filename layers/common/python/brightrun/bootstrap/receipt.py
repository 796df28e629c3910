"""The composition root of receipts."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from brightrun import bootstrap
from brightrun.settings.training import ReceiptSettings

if TYPE_CHECKING:
    from brightrun.repositories.tokenizers import Kept
    from brightrun.services.write_receipt import ReceiptWriter


def receipt_writer() -> ReceiptWriter:
    """Build what writes receipts."""
    from brightrun.repositories.dataset_files import S3DatasetFiles
    from brightrun.repositories.datasets import DatasetTables, DynamoDatasets
    from brightrun.repositories.objects import S3Objects
    from brightrun.repositories.tokenizers import S3Tokenizers
    from brightrun.services.write_receipt import ReceiptWriter

    environment = ReceiptSettings.from_environment()
    return ReceiptWriter(
        datasets=DynamoDatasets(bootstrap.dynamodb(), DatasetTables(environment.datasets_table)),
        files=S3DatasetFiles(bootstrap.s3(), environment.datasets_bucket),
        splits=S3Objects(bootstrap.s3(), environment.datasets_bucket),
        tokenizers=S3Tokenizers(bootstrap.s3(), environment.base_models_bucket, _kept()),
        clock=bootstrap.clock,
    )


@cache
def _kept() -> Kept:
    """What a warm function keeps from one request to the next."""
    return {}
