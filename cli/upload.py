"""Sending a file to the links of an upload: in one piece, or in parts that can be resumed."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import httpx2

from cli.client import ApiClient, Document, segment
from cli.config import is_loopback, require_safe_url
from cli.errors import RefusedError, UnavailableError, UsageError, error_from_response
from cli.private_files import explained

TIMEOUT = httpx2.Timeout(120.0, connect=10.0)
BLOCK_BYTES = 256 * 1024

Progress = Callable[[int], None]
"""Hears how many bytes have arrived or are on their way, from the file's first byte on."""


def upload_plan(client: ApiClient, dataset_id: str) -> Document:
    """Ask what of a dataset's file is still missing, with fresh links for it."""
    plan: Document = client.get(f"/api/datasets/{segment(dataset_id)}/upload")["data"]
    return plan


def send_file(
    client: ApiClient, dataset_id: str, plan: Document, source: Path, on_progress: Progress
) -> None:
    """Send what the plan says is missing of a file.

    A part is sent again on trouble, with fresh links when the old ones have expired. Raises
    UsageError when the file cannot be read or has changed its size, UnavailableError when a part
    does not arrive, RefusedError when the store refuses it.
    """
    attempt = 1
    while True:
        try:
            with explained("read", source), source.open("rb") as stream:
                _send(plan, stream, on_progress)
            return
        except (UnavailableError, RefusedError) as error:
            # The store answers 403 to a link that has expired, and accepts a fresh one.
            wait = client.retry.wait_s(attempt, getattr(error, "retry_after", None))
            if wait is None or (isinstance(error, RefusedError) and error.status != 403):
                raise
            client.retry.sleep(wait)
            attempt += 1
            plan = upload_plan(client, dataset_id)


def _send(plan: Document, stream: BinaryIO, on_progress: Progress) -> None:
    size = os.fstat(stream.fileno()).st_size
    if plan["method"] == "put":
        _put(plan["url"], plan["headers"], _blocks(stream, 0, size, on_progress), size)
        return
    part_size = plan["part_size"]
    for part in plan["parts"]:
        begin = (part["part_number"] - 1) * part_size
        length = min(part_size, size - begin)
        if length <= 0:
            raise UsageError(
                f"The file has only {size} bytes now, fewer than when its upload began.",
                hint="Begin a new upload.",
            )
        blocks = _blocks(stream, begin, length, on_progress)
        _put(part["url"], {}, blocks, length)


def _blocks(
    stream: BinaryIO, begin: int, length: int, on_progress: Progress
) -> Callable[[], Iterator[bytes]]:
    def read() -> Iterator[bytes]:
        stream.seek(begin)
        left = length
        while left > 0 and (block := stream.read(min(BLOCK_BYTES, left))):
            left -= len(block)
            yield block
            on_progress(stream.tell())

    return read


def _put(
    url: str, headers: dict[str, str], blocks: Callable[[], Iterator[bytes]], length: int
) -> None:
    address = require_safe_url(url, "The upload link")
    try:
        answer = httpx2.put(
            address,
            content=blocks(),
            headers={**headers, "content-length": str(length)},
            timeout=TIMEOUT,
            trust_env=not is_loopback(address),
        )
    except httpx2.RequestError as error:
        raise UnavailableError(f"The upload broke off: {error or type(error).__name__}.") from error
    if not answer.is_success:
        raise error_from_response(answer)
