"""Objects in S3: texts with user metadata."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from brightrun.core.errors import BrightRunError, StorageError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


@dataclass(frozen=True, slots=True)
class StoredText:
    """An object's text, and the user metadata stored with it."""

    text: str
    metadata: dict[str, str] = field(default_factory=dict)


class ListedObject(NamedTuple):
    """An object of a listing, and when it was stored."""

    key: str
    stored_at: datetime


LINK_SECONDS = 3600
"""How long a download link is valid: an hour, as in v1."""


class ObjectStore(Protocol):
    """The objects of one bucket; every method raises StorageError when S3 fails."""

    def put(
        self, key: str, body: str, *, content_type: str, metadata: dict[str, str] | None = None
    ) -> int:
        """Store a text as UTF-8, and return its size in bytes."""

    def get(self, key: str) -> StoredText | None:
        """Read a text; None when there is no such object."""

    def remove(self, key: str) -> None:
        """Delete an object; does nothing when there is none."""

    def remove_all(self, prefix: str) -> None:
        """Delete every object below a prefix."""

    def listed(self, *, after: str = "") -> Iterator[ListedObject]:
        """All objects in the order of their keys, or those whose keys come after one."""

    def link(self, key: str, filename: str) -> str:
        """Sign a link that downloads an object under a file name, valid for LINK_SECONDS."""


class S3Objects(ObjectStore):
    """Objects in S3. A versioned bucket keeps removed ones for its lifecycle rule."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(
        self, key: str, body: str, *, content_type: str, metadata: dict[str, str] | None = None
    ) -> int:
        data = body.encode("utf-8")
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=data,
                ContentType=content_type,
                Metadata=metadata or {},
            )
        except (ClientError, BotoCoreError) as error:
            raise StorageError("PutObject", type(error).__name__) from error
        return len(data)

    def get(self, key: str) -> StoredText | None:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            return StoredText(answer["Body"].read().decode("utf-8"), answer["Metadata"])
        except self._client.exceptions.NoSuchKey:
            return None
        except (ClientError, BotoCoreError) as error:
            raise StorageError("GetObject", type(error).__name__) from error

    def remove(self, key: str) -> None:
        try:
            self._client.delete_object(Bucket=self._bucket, Key=key)
        except (ClientError, BotoCoreError) as error:
            raise StorageError("DeleteObject", type(error).__name__) from error

    def remove_all(self, prefix: str) -> None:
        remove_below(self._client, self._bucket, prefix)

    def listed(self, *, after: str = "") -> Iterator[ListedObject]:
        try:
            for page in self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, StartAfter=after
            ):
                for one in page.get("Contents", []):
                    yield ListedObject(one["Key"], one["LastModified"])
        except (ClientError, BotoCoreError) as error:
            raise StorageError("ListObjectsV2", type(error).__name__) from error

    def link(self, key: str, filename: str) -> str:
        return self._client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": key,
                "ResponseContentDisposition": f'attachment; filename="{filename}"',
            },
            ExpiresIn=LINK_SECONDS,
        )


@contextmanager
def discarded_if_lost(
    store: ObjectStore, in_use: Callable[[], Container[str]], *keys: str
) -> Iterator[None]:
    """Remove these objects when the block ends without having written the row.

    After a StorageError nobody knows whether it was written: they stay.
    """
    try:
        yield
    except StorageError:
        raise
    except BrightRunError:
        discard(store, in_use, *keys)
        raise


def discard(store: ObjectStore, in_use: Callable[[], Container[str]], *keys: str) -> None:
    """Remove the objects of an attempt that lost, but for those that are `in_use`.

    That is asked first: a write whose answer was lost on the way looks like one that lost. What
    cannot be removed stays below its owner's prefix, and goes with the owner.
    """
    with suppress(StorageError):
        kept = in_use()
        for key in keys:
            if key not in kept:
                store.remove(key)


def remove_below(client: S3Client, bucket: str, prefix: str) -> None:
    """Delete every object below a prefix; raises StorageError, also where some of them stay."""
    try:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            keys = [{"Key": one["Key"]} for one in page.get("Contents", [])]
            if not keys:
                continue
            done = client.delete_objects(
                Bucket=bucket,
                Delete={"Objects": keys, "Quiet": True},  # type: ignore[typeddict-item]
            )
            if done.get("Errors"):
                raise StorageError("DeleteObjects", str(done["Errors"][0].get("Code")))
    except (ClientError, BotoCoreError) as error:
        raise StorageError("DeleteObjects", type(error).__name__) from error


def s3_client() -> S3Client:
    """Create a client that signs links with Signature Version 4, which every region accepts.

    Links name the bucket's own host in its region: the global host answers a new bucket elsewhere
    with a redirect, which the signature does not fit. An endpoint with an IP address, as the local
    engine's, keeps the bucket in the path.

    It sends a body with its request: asking first, as the SDK does, is a round trip more for each
    of the small objects that are stored here.
    """
    import boto3
    from botocore.config import Config
    from botocore.handlers import add_expect_header

    client = boto3.client(
        "s3",
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
            connect_timeout=2,
            read_timeout=10,
            retries={"mode": "standard"},
            max_pool_connections=32,
            parameter_validation=False,  # S3 checks them, and our types do
        ),
    )
    client.meta.events.unregister("before-call.s3", add_expect_header)
    return client
