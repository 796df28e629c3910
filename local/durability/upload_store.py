"""Multipart uploads under way on disk: a folder each, with its record and its parts."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.durability.files import read_document, write_atomically
from local.durability.room import naming_a_full_disk

Upload = dict[str, Any]
"""A record of ministack's; its ``parts`` by number, each with its ``body``."""


class UploadStore:
    """Keeps uploads from their beginning until they are completed or aborted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def begin(self, upload_id: str, upload: Upload) -> None:
        """Keep a new upload, without its parts; raises DiskFull."""
        record = {name: value for name, value in upload.items() if name != "parts"}
        folder = self._folder / upload_id
        with naming_a_full_disk(folder):
            folder.mkdir()
        write_atomically(folder / "upload.json", json.dumps(record).encode())

    def add_part(self, upload_id: str, number: int, part: dict[str, Any]) -> None:
        """Keep a part, or another one in its place; it counts once its record is there.

        Raises DiskFull.
        """
        folder = self._folder / upload_id
        record = folder / f"{number}.part.json"
        record.unlink(missing_ok=True)
        body = folder / f"{number}.body"
        with naming_a_full_disk(body):
            body.write_bytes(part["body"])
        kept = {name: value for name, value in part.items() if name != "body"}
        write_atomically(record, json.dumps(kept).encode())

    def remove(self, upload_id: str) -> None:
        """Forget an upload."""
        shutil.rmtree(self._folder / upload_id)

    def load(self) -> Iterator[tuple[str, Upload]]:
        """Yield every upload with its parts; one whose record was never written is dropped."""
        for folder in sorted(self._folder.iterdir()):
            record = folder / "upload.json"
            if record.exists():
                yield folder.name, {**read_document(record), "parts": _parts(folder)}
            else:
                shutil.rmtree(folder)


def _parts(folder: Path) -> dict[int, dict[str, Any]]:
    parts = {}
    for record in folder.glob("*.part.json"):
        number = record.name.split(".")[0]
        body = (folder / f"{number}.body").read_bytes()
        parts[int(number)] = {**read_document(record), "body": body}
    return dict(sorted(parts.items()))
