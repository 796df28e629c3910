"""Downloading a signed link into a file that appears only when it is complete."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedRandom
from pathlib import Path

import httpx2

from cli.client import Document
from cli.config import is_loopback, require_safe_url
from cli.errors import UnavailableError, UsageError, error_from_response
from cli.private_files import explained
from cli.retry import RetryPolicy

TIMEOUT = httpx2.Timeout(60.0, connect=10.0)


def save_link(
    link: Document, destination: Path | None, retry: RetryPolicy, *, overwrites: bool = False
) -> Path:
    """Download the object a link answer points to; return the file's path.

    Without a destination the server's file name is used, in the current folder. The session
    token is not sent: the link carries its own signature. Raises UsageError when the file cannot
    be written, or is there already and may not be overwritten, and UnavailableError when the
    object does not arrive whole or with another hash than the link promises.
    """
    # Only the last part of a name from outside: it must not choose the folder.
    target = destination or Path(Path(link["filename"]).name)
    if not overwrites:
        require_absent(target)
    url = require_safe_url(link["download_url"], "The download link")
    with replacing(target) as stream:
        _fetch(url, stream, link.get("file_size"), retry)
        _verify(stream, target.name, link.get("sha256"))
    return target


def require_absent(target: Path) -> None:
    """Raise UsageError if the file to write is there already."""
    if target.exists():
        raise UsageError(
            f"{target} is there already; nothing was downloaded.",
            code="output_exists",
            hint="Name another one with --output, or add --force to write over it.",
        )


def _fetch(url: str, stream: BufferedRandom, size: int | None, retry: RetryPolicy) -> None:
    attempt = 1
    while True:
        try:
            return _fetch_once(url, stream, size)
        except UnavailableError as error:
            wait = retry.wait_s(attempt, error.retry_after)
            if wait is None:
                raise
            retry.sleep(wait)
            attempt += 1


def _fetch_once(url: str, stream: BufferedRandom, size: int | None) -> None:
    stream.seek(0)
    stream.truncate()
    try:
        with httpx2.stream("GET", url, timeout=TIMEOUT, trust_env=not is_loopback(url)) as answer:
            if not answer.is_success:
                answer.read()
                raise error_from_response(answer)
            for block in answer.iter_bytes():
                stream.write(block)
    except httpx2.RequestError as error:
        raise UnavailableError(f"The download broke off: {error}.", hint="Try again.") from error
    if size is not None and stream.tell() != size:
        raise UnavailableError(
            f"The download is incomplete: {stream.tell()} of {size} bytes.", hint="Try again."
        )


def _verify(stream: BufferedRandom, name: str, expected: str | None) -> None:
    stream.seek(0)
    found = hashlib.file_digest(stream, "sha256").hexdigest()
    if expected and found != expected:
        raise UnavailableError(
            f"{name} arrived with SHA-256 {found}, but {expected} was promised; it was not kept.",
            code="wrong_hash",
            hint="Try again.",
        )


@contextmanager
def replacing(target: Path) -> Iterator[BufferedRandom]:
    """Open a draft beside the target that takes its place when the block ends without error."""
    with explained("write", target):
        descriptor, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(descriptor, "w+b") as stream:
            try:
                yield stream
            except BaseException:
                Path(draft).unlink()
                raise
        Path(draft).replace(target)
