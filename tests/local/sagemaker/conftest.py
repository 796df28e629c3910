"""What the tests of training jobs start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from tests.local.sagemaker.emulated import BUCKET, Emulated


@pytest.fixture
def emulated(tmp_path: Path, scrubbed_environment: None) -> Iterator[Emulated]:
    """A started SageMaker, with a dataset in its bucket."""
    with mock_aws():
        system = Emulated(tmp_path)
        system.s3.create_bucket(Bucket=BUCKET)
        system.s3.put_object(Bucket=BUCKET, Key="data/rows/train.jsonl", Body=b"{}\n")
        system.s3.put_object(Bucket=BUCKET, Key="data/rows/more/part.jsonl", Body=b"[]\n")
        system.jobs.start()
        yield system
        system.jobs.close()
