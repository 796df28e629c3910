"""Folders in S3: channels on their way in, checkpoints both ways, archives on their way out."""

import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.sagemaker.errors import JobFailed

_URI = re.compile(r"(?:s3://|https://s3\.[^/]+/)([^/]+)/?(.*)")
"""Both spellings of a place in S3; the second is what CDK's constructs emit."""


def parse_uri(uri: str) -> tuple[str, str]:
    """Return the bucket and the key of a URI; raises JobFailed for one of neither spelling."""
    found = _URI.fullmatch(uri)
    if found is None:
        raise JobFailed(f"ClientError: {uri} is no place in S3: use s3://bucket/prefix.")
    return found[1], found[2]


def download(s3: Any, uri: str, folder: Path) -> list[Path]:
    """Download every object whose key begins with a URI's; returns the files.

    An object that is the URI itself keeps its name. Raises JobFailed for keys that would leave
    the folder.
    """
    bucket, prefix = parse_uri(uri)
    files = []
    for key in _keys(s3, bucket, prefix):
        file = folder / _relative(key, prefix)
        if not file.resolve().is_relative_to(folder.resolve()):
            raise JobFailed(f"ClientError: Data download failed: the key {key} leaves its folder.")
        file.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, key, str(file))
        files.append(file)
    return files


class MirroredFolder:
    """A folder whose files are copied to S3 as they change; nothing is removed there."""

    def __init__(self, s3: Any, uri: str, folder: Path) -> None:
        self._s3 = s3
        self._uri = uri
        self._folder = folder
        self._copied: dict[Path, tuple[int, int]] = {}

    def restore(self) -> None:
        """Bring back what an earlier attempt left in S3."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for file in download(self._s3, self._uri.rstrip("/") + "/", self._folder):
            self._copied[file] = _version(file)

    def push(self) -> int:
        """Copy files that are new or changed; returns how many there are in S3 by now.

        The oldest go first, so that a mark written last is copied last.
        """
        bucket, prefix = parse_uri(self._uri)
        for file, version in sorted(self._changed(), key=lambda each: each[1][1]):
            try:
                content = file.read_bytes()
            except FileNotFoundError:  # renamed or dropped since it was listed
                continue
            key = "/".join(filter(None, [prefix.strip("/"), str(file.relative_to(self._folder))]))
            self._s3.put_object(Bucket=bucket, Key=key, Body=content)
            self._copied[file] = version
        return len(self._copied)

    def _changed(self) -> Iterator[tuple[Path, tuple[int, int]]]:
        for file in self._folder.rglob("*"):
            try:
                version = _version(file)
            except FileNotFoundError:
                continue
            if file.is_file() and self._copied.get(file) != version:
                yield file, version


def upload_archive(s3: Any, folder: Path, uri: str) -> None:
    """Pack what a folder holds and upload it as one ``.tar.gz``."""
    archive = folder.with_name(f"{folder.name}.tar.gz")
    with tarfile.open(archive, "w:gz") as packed:
        for entry in sorted(folder.iterdir()):
            packed.add(entry, entry.name)
    bucket, key = parse_uri(uri)
    s3.upload_file(str(archive), bucket, key)
    archive.unlink()


def upload_folder(s3: Any, files: list[Path], bucket: str, prefix: str) -> None:
    """Upload files under a prefix that ends in a slash, in the order given."""
    for file in files:
        s3.put_object(Bucket=bucket, Key=prefix + file.name, Body=file.read_bytes())


def _keys(s3: Any, bucket: str, prefix: str) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for stored in page.get("Contents", ()):
            if not stored["Key"].endswith("/"):  # a folder that a console made
                yield stored["Key"]


def _relative(key: str, prefix: str) -> str:
    """Name a file by what follows its folder; the prefix may end in the middle of a name."""
    if key.startswith(prefix.rstrip("/") + "/") and prefix:
        return key[len(prefix.rstrip("/")) + 1 :]
    return key[prefix.rfind("/") + 1 :]


def _version(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_size, status.st_mtime_ns
