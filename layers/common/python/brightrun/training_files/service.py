"""Reads training files and signs links to them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from pydantic import BaseModel

from brightrun.aws.objects import LINK_SECONDS, ObjectStore
from brightrun.core.errors import NotFoundError
from brightrun.core.pages import Page
from brightrun.core.timestamps import Clock, iso
from brightrun.training_files.model import FileFormat, TrainingFile
from brightrun.training_files.repository import TrainingFileRepository

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_MAX_STEM = 100
_PAGE = 100


class FileLink(BaseModel):
    """A link to one version of a training file, valid until `expires_at`."""

    file_id: str
    version: int
    format: FileFormat
    download_url: str
    filename: str
    file_size: int
    sha256: str
    expires_at: str
    expires_in_seconds: int


@dataclass(frozen=True, slots=True)
class TrainingFileReader:
    """Reads training files for the API."""

    files: TrainingFileRepository
    links: ObjectStore
    clock: Clock

    def one(self, owner_id: str, file_id: str) -> TrainingFile:
        """Read a training file; raises NotFoundError."""
        return self.files.training_file(owner_id, file_id)

    def page(self, owner_id: str, *, limit: int, cursor: str | None) -> Page[TrainingFile]:
        """List an owner's training files, newest first."""
        return self.files.training_files(owner_id, limit=limit, cursor=cursor)

    def all(self, owner_id: str) -> list[TrainingFile]:
        """Read all of an owner's training files, newest first."""
        files: list[TrainingFile] = []
        cursor: str | None = None
        while True:
            page = self.page(owner_id, limit=_PAGE, cursor=cursor)
            files.extend(page.records)
            cursor = page.next_cursor
            if cursor is None:
                return files

    def download(
        self, owner_id: str, file_id: str, file_format: FileFormat, number: int | None
    ) -> FileLink:
        """Sign a link to a version, the newest for None; raises NotFoundError."""
        file = self.one(owner_id, file_id)
        version = file.numbered(number)
        if version is None:
            raise NotFoundError("version of this training file", str(number or "newest"))
        as_json = file_format == "json"
        key = version.json_key if as_json else version.jsonl_key
        stem = _UNSAFE.sub("-", file.name).strip("-.")[:_MAX_STEM] or file.file_id
        filename = f"{stem}.v{version.version}.{file_format}"
        return FileLink(
            file_id=file_id,
            version=version.version,
            format=file_format,
            download_url=self.links.link(key, filename),
            filename=filename,
            file_size=version.json_file_size if as_json else version.jsonl_file_size,
            sha256=version.json_sha256 if as_json else version.jsonl_sha256,
            expires_at=iso(self.clock() + timedelta(seconds=LINK_SECONDS)),
            expires_in_seconds=LINK_SECONDS,
        )
