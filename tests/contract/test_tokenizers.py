"""What every store of base models' tokenizers promises: the one in memory and the one in S3."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from brightrun.aws.objects import s3_client
from brightrun.core.errors import StorageError
from brightrun.datasets.receipts.repository import S3Tokenizers, TokenizerCache, Tokenizers
from brightrun.sft.errors import ModelError
from brightrun.sft.tokenizer import TEMPLATE, TOKENIZER, OfflineTokenizer
from tests.aws import Aws
from tests.fakes.tokenizer import InMemoryTokenizers, tokenizer_files, write_tokenizer

PREFIX = "tiny/v1/"


@dataclass(frozen=True)
class Store:
    tokenizers: Tokenizers
    put: Callable[[str, str], object]
    """Put a tokenizer with a chat template under a prefix."""


@pytest.fixture(params=["memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "memory":
        fake = InMemoryTokenizers()

        def keep(prefix: str, template: str) -> None:
            fake.tokenizers[prefix] = OfflineTokenizer(write_tokenizer(tmp_path, template))

        return Store(fake, keep)
    s3 = request.getfixturevalue("aws").s3

    def put(prefix: str, template: str) -> None:
        for name, content in tokenizer_files(template).items():
            s3.put_object(Bucket="base-models", Key=f"{prefix}{name}", Body=content)

    return Store(S3Tokenizers(s3, "base-models", {}), put)


def test_a_tokenizer_that_was_not_uploaded_is_none(store: Store) -> None:
    store.put("tiny/v1/more/", "{{ 1 }}")
    assert store.tokenizers.tokenizer(PREFIX) is None


def test_a_tokenizer_is_read_with_its_template(store: Store) -> None:
    store.put(PREFIX, "{{ 1 }}")
    tokenizer = store.tokenizers.tokenizer(PREFIX)
    assert tokenizer is not None
    assert tokenizer.template.text == "{{ 1 }}"
    assert len(tokenizer.encode("five!")) == 5


def test_another_template_is_seen_at_once(store: Store) -> None:
    store.put(PREFIX, "{{ 1 }}")
    store.tokenizers.tokenizer(PREFIX)
    store.put(PREFIX, "{{ 2 }}")
    tokenizer = store.tokenizers.tokenizer(PREFIX)
    assert tokenizer is not None
    assert tokenizer.template.text == "{{ 2 }}"


def put_files(aws: Aws, **files: bytes | None) -> None:
    for name, content in (tokenizer_files() | files).items():
        if content is not None:
            aws.s3.put_object(Bucket="base-models", Key=f"{PREFIX}{name}", Body=content)


def test_the_last_tokenizer_is_kept_and_only_that_one(aws: Aws) -> None:
    put_files(aws)
    kept: TokenizerCache = {}
    first = S3Tokenizers(aws.s3, "base-models", kept).tokenizer(PREFIX)
    assert S3Tokenizers(aws.s3, "base-models", kept).tokenizer(PREFIX) is first
    for name, content in tokenizer_files().items():
        aws.s3.put_object(Bucket="base-models", Key=f"other/v1/{name}", Body=content)
    assert S3Tokenizers(aws.s3, "base-models", kept).tokenizer("other/v1/") is not first
    assert len(kept) == 1


def test_unusable_files_are_an_error(aws: Aws) -> None:
    put_files(aws, **{TOKENIZER: b"{}"})
    with pytest.raises(ModelError, match=r"tokenizer\.json cannot be read"):
        S3Tokenizers(aws.s3, "base-models", {}).tokenizer(PREFIX)


def test_a_tokenizer_without_a_template_is_an_error(aws: Aws) -> None:
    put_files(aws, **{TEMPLATE: None})
    with pytest.raises(ModelError, match="no chat template"):
        S3Tokenizers(aws.s3, "base-models", {}).tokenizer(PREFIX)


def test_a_bucket_that_is_not_there_is_a_storage_error(aws: Aws) -> None:
    with pytest.raises(StorageError):
        S3Tokenizers(s3_client(), "no-such-bucket", {}).tokenizer(PREFIX)
