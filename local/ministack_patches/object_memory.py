"""Keeps the bodies of versioned objects on disk only.

Reason: ministack drops an object's body from memory once it is on disk, but not the copy that
its list of versions holds, so the process grows by every byte that is stored.
"""

from typing import Any


def install() -> None:
    """Drop the copies of an object's bodies as soon as the object is on disk."""
    from ministack.services import s3

    persist = s3._persist_object

    def persist_and_drop(bucket: str, key: str, stored: dict[str, Any]) -> None:
        persist(bucket, key, stored)
        if stored["body"] is None:  # it reached the disk, as older versions did before it
            for version in s3._object_versions.get((bucket, key)) or ():
                version["data"] = None

    s3._persist_object = persist_and_drop
