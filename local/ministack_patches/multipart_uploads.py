"""Keeps multipart uploads over a restart, and completes none that S3 would refuse.

Reasons: ministack holds uploads in memory only, so that none can be resumed; it
completes uploads whose parts are out of order, or smaller than 5 MiB, which S3 refuses.
"""

import re
from collections.abc import Callable
from typing import Any

from local.durability.upload_store import UploadStore
from local.settings import ACCOUNT

MIN_PART_BYTES = 5 * 1024 * 1024
"""Every part but the last. Source: Amazon S3 multipart upload limits."""

Response = tuple[int, dict[str, str], bytes]

_UPLOAD_ID = re.compile(rb"<UploadId>([^<]+)</UploadId>")
_PART_NUMBER = re.compile(rb"<PartNumber>\s*(\d+)\s*</PartNumber>")
_OUT_OF_ORDER = (
    "The list of parts was not in ascending order. The parts list must be specified in order by"
    " part number."
)
_TOO_SMALL = "Your proposed upload is smaller than the minimum allowed size"


class MultipartUploads:
    """Ministack's uploads, with a copy on disk of those that are not completed."""

    def __init__(self, store: UploadStore) -> None:
        from ministack.services import s3

        self._s3 = s3
        self._store = store
        self._complete = s3._complete_multipart_upload

    def install(self) -> None:
        """Restore uploads that a stop interrupted, and store new ones from now on."""
        s3 = self._s3
        for upload_id, upload in self._store.load():
            s3._multipart_uploads._data[ACCOUNT, upload_id] = upload
        s3._create_multipart_upload = self._keeping_the_beginning(s3._create_multipart_upload)
        s3._upload_part = self._keeping_the_part(s3._upload_part)
        s3._upload_part_copy = self._keeping_the_part(s3._upload_part_copy)
        s3._complete_multipart_upload = self._forgetting(self._complete_checked)
        s3._abort_multipart_upload = self._forgetting(s3._abort_multipart_upload)

    def _keeping_the_beginning(self, create: Callable[..., Response]) -> Callable[..., Response]:
        def create_and_keep(*arguments: Any) -> Response:
            response = create(*arguments)
            found = _UPLOAD_ID.search(response[2])
            if response[0] == 200 and found:
                upload_id = found[1].decode()
                self._store.begin(upload_id, self._s3._multipart_uploads[upload_id])
            return response

        return create_and_keep

    def _keeping_the_part(self, put: Callable[..., Response]) -> Callable[..., Response]:
        def put_and_keep(*arguments: Any) -> Response:
            response = put(*arguments)
            if response[0] == 200:
                query = arguments[-2]
                number = int(self._s3._qp(query, "partNumber"))
                upload_id = self._s3._qp(query, "uploadId")
                part = self._s3._multipart_uploads[upload_id]["parts"][number]
                self._store.add_part(upload_id, number, part)
            return response

        return put_and_keep

    def _forgetting(self, end: Callable[..., Response]) -> Callable[..., Response]:
        def end_and_forget(*arguments: Any) -> Response:
            upload_id = self._s3._qp(arguments[-1 if len(arguments) == 3 else 3], "uploadId")
            known = upload_id in self._s3._multipart_uploads
            response = end(*arguments)
            if known and upload_id not in self._s3._multipart_uploads:
                self._store.remove(upload_id)
            return response

        return end_and_forget

    def _complete_checked(
        self, bucket: str, key: str, body: bytes, query: Any, headers: Any
    ) -> Response:
        upload = self._s3._multipart_uploads.get(self._s3._qp(query, "uploadId"))
        numbers = [int(number) for number in _PART_NUMBER.findall(body)]
        if upload is not None and numbers != sorted(set(numbers)):
            return self._refusal("InvalidPartOrder", _OUT_OF_ORDER, bucket, key)
        parts = [upload["parts"].get(number) for number in numbers[:-1]] if upload else []
        if any(part is not None and part["size"] < MIN_PART_BYTES for part in parts):
            return self._refusal("EntityTooSmall", _TOO_SMALL, bucket, key)
        completed: Response = self._complete(bucket, key, body, query, headers)
        return completed

    def _refusal(self, code: str, message: str, bucket: str, key: str) -> Response:
        refusal: Response = self._s3._error(code, message, 400, f"/{bucket}/{key}")
        return refusal
