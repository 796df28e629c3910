"""Base models' tokenizers in S3; the last one read is cached for the next request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

from brightrun.aws.dynamodb import translated

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

    from brightrun.sft.tokenizer import OfflineTokenizer


class Tokenizers(Protocol):
    """The tokenizers of the base models that an operator has uploaded."""

    def tokenizer(self, prefix: str) -> OfflineTokenizer | None:
        """Read the tokenizer under a prefix that ends in a slash; None when it is missing.

        Raises StorageError, and ModelError for files that cannot be used.
        """


TokenizerCache = dict[tuple[str, ...], "OfflineTokenizer"]
"""The last tokenizer read, by its bucket, prefix and the ETags of its objects."""


class S3Tokenizers(Tokenizers):
    """Tokenizers in the bucket of base models.

    A tokenizer of 128,000 tokens is slow to read and large, so `cache` holds one, as long as its
    objects are unchanged.
    """

    def __init__(self, client: S3Client, bucket: str, cache: TokenizerCache) -> None:
        self._client = client
        self._bucket = bucket
        self._cache = cache

    def tokenizer(self, prefix: str) -> OfflineTokenizer | None:
        from brightrun.sft.tokenizer import CONFIG, TOKENIZER, TOKENIZER_FILES

        etags = self._etags(prefix, TOKENIZER_FILES)
        if not {TOKENIZER, CONFIG} <= etags.keys():
            return None
        version = (self._bucket, prefix, *(etags.get(name, "") for name in TOKENIZER_FILES))
        if version not in self._cache:
            self._cache.clear()
            self._cache[version] = self._read(prefix, sorted(etags))
        return self._cache[version]

    def _etags(self, prefix: str, names: Sequence[str]) -> dict[str, str]:
        """ETags of the tokenizer's files; a hub folder has far fewer than 1,000 objects."""
        with translated("ListObjectsV2"):
            answer = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix)
        found = {one["Key"].removeprefix(prefix): one["ETag"] for one in answer.get("Contents", [])}
        return {name: found[name] for name in names if name in found}

    def _read(self, prefix: str, names: list[str]) -> OfflineTokenizer:
        from brightrun.sft.tokenizer import OfflineTokenizer

        with TemporaryDirectory() as path:
            folder = Path(path)
            for name in names:
                with translated("GetObject"):
                    answer = self._client.get_object(Bucket=self._bucket, Key=f"{prefix}{name}")
                    (folder / name).write_bytes(answer["Body"].read())
            return OfflineTokenizer(folder)
