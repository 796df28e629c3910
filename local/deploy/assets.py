"""Packs assets and uploads them to the bucket that the templates name."""

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from local.deploy.cloud_assembly import StackArtifact

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Fixed time of every packed file, so that the same content gives the same archive."""


def upload_assets(s3: Any, stacks: Iterable[StackArtifact]) -> list[bytes]:
    """Upload the assets of the stacks, remove older ones, and return the archives.

    The archive of the Dependencies layer is replaced by an empty one.
    """
    archives: dict[tuple[str, str], bytes] = {}
    for stack in stacks:
        skipped = stack.skipped_asset_keys()
        for asset in stack.assets:
            place = (asset.bucket, asset.key)
            if asset.key in skipped:
                archives[place] = pack(())
            elif asset.is_folder:
                archives[place] = pack(sorted(asset.source.rglob("*")), asset.source)
            else:
                archives[place] = asset.source.read_bytes()
    for bucket in {bucket for bucket, _ in archives}:
        ensure_bucket(s3, bucket)
        _remove_others(s3, bucket, {key for home, key in archives if home == bucket})
    for (bucket, key), content in archives.items():
        s3.put_object(Bucket=bucket, Key=key, Body=content)
    return list(archives.values())


def ensure_bucket(s3: Any, bucket: str) -> None:
    """Create a bucket unless it is there."""
    try:
        s3.create_bucket(Bucket=bucket)
    except s3.exceptions.BucketAlreadyOwnedByYou:
        return


def pack(files: Iterable[Path], root: Path = Path()) -> bytes:
    """Return a zip archive of files, named relative to a root folder."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            if file.is_file():
                name = zipfile.ZipInfo(str(file.relative_to(root)), _EPOCH)
                name.external_attr = 0o644 << 16
                archive.writestr(name, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _remove_others(s3: Any, bucket: str, kept: set[str]) -> None:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for stored in page.get("Contents", ()):
            if stored["Key"] not in kept:
                s3.delete_object(Bucket=bucket, Key=stored["Key"])
