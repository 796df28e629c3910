"""An object that is written as a stream of bytes, its beginning last."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from brightrun.core.errors import StorageError
from brightrun.training_files.repository import TrainingFileObjects

PART_BYTES = 8 * 1024 * 1024
"""Bytes after which a part is sent, at least S3's 5 MiB. S3 takes 10,000 parts: 80 GB."""


@dataclass(slots=True)
class PartedObject:
    """An object of two ends that are known last, an opening and a closing, and what is between.

    The first PART_BYTES between them are kept as `head`, which becomes part 1 with the opening; the
    rest is sent as parts 2, 3 and so on as it comes, and what was not sent yet is `tail`. So memory
    holds two parts at most. Without `in_parts` it is all kept, and nothing is stored before the
    end. `size` counts the bytes between the ends.
    """

    key: str
    content_type: str
    in_parts: bool = True
    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    upload_id: str | None = None
    etags: list[str] = field(default_factory=list)
    size: int = 0

    def append(self, data: bytes, objects: TrainingFileObjects) -> None:
        """Append bytes, and send a part when there is one; raises StorageError."""
        self.size += len(data)
        if not self.in_parts or len(self.head) < PART_BYTES:
            self.head += data
            return
        self.tail += data
        if len(self.tail) >= PART_BYTES:
            self._send_tail(objects)

    def complete(
        self, opening: bytes, closing: bytes, objects: TrainingFileObjects
    ) -> tuple[int, str]:
        """Store the whole object; returns its size and its SHA-256. Raises StorageError.

        Done again, it finds the object complete.
        """
        self.tail += closing
        if self.upload_id is None:
            whole = opening + self.head + self.tail
            objects.put(self.key, whole.decode(), content_type=self.content_type)
            return len(whole), hashlib.sha256(whole).hexdigest()
        size = len(opening) + self.size + len(closing)
        stored = self._stored(objects)
        if stored[0] != size:
            self._send_tail(objects)
            first = objects.put_part(self.key, self.upload_id, 1, opening + self.head)
            objects.complete_parts(self.key, self.upload_id, [first, *self.etags])
            stored = self._stored(objects)
        if stored[0] != size:
            raise StorageError("CompleteMultipartUpload", f"{stored[0]} of {size} bytes are there")
        return stored

    def dump(self) -> dict[str, Any]:
        """All but the bytes, as JSON values."""
        return {
            "key": self.key,
            "content_type": self.content_type,
            "upload_id": self.upload_id,
            "etags": self.etags,
            "size": self.size,
        }

    @classmethod
    def load(cls, dumped: Mapping[str, Any], head: str, tail: str) -> PartedObject:
        """The object that `dump` wrote, with its bytes."""
        return cls(**dumped, head=bytearray(head.encode()), tail=bytearray(tail.encode()))

    def _send_tail(self, objects: TrainingFileObjects) -> None:
        if self.upload_id is None:
            self.upload_id = objects.begin_parts(self.key, self.content_type)
        number = len(self.etags) + 2
        self.etags.append(objects.put_part(self.key, self.upload_id, number, bytes(self.tail)))
        self.tail.clear()

    def _stored(self, objects: TrainingFileObjects) -> tuple[int, str]:
        """The size of what stands under the key, 0 for nothing, and its SHA-256."""
        digest, size = hashlib.sha256(), 0
        for block in objects.blocks(self.key):
            digest.update(block)
            size += len(block)
        return size, digest.hexdigest()
