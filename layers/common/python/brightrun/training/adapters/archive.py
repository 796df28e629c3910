"""Adapter archives and safetensors headers, read as streams; nothing in them is trusted.

An archive is what a container wrote: its names may lead out of the folder, its links anywhere, its
headers and files may claim any size. Memory stays at some megabytes whatever is in it.

Format: eight bytes with the header's length, then JSON of names to dtype, shape and offsets, then
the tensors without gaps (the safetensors project's format description).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import math
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import IO, Any, Self

from pydantic import BaseModel, ConfigDict, TypeAdapter

from brightrun.core.errors import UnusableAdapterError

MOST_BYTES = 8 * 1024**3
"""Unpacked, all files together; a rank-128 adapter of a 70B model in fp32 has 6.6 GB."""
MOST_FILES = 200
_MOST_EXTENSION_BYTES = 64 * 1024
"""Of a header that holds a long name or times; tarfile reads it into memory whole."""
_EXTENSIONS = frozenset(
    {
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    }
)
_NAME = re.compile(r"(?=.{1,200}$)[A-Za-z0-9_][A-Za-z0-9_.\-]*(/[A-Za-z0-9_][A-Za-z0-9_.\-]*){0,2}")


@contextmanager
def _readable() -> Iterator[None]:
    """Say of an archive that cannot be read on that it is damaged."""
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnusableAdapterError(
            f"The artifact is no whole tar.gz file ({type(error).__name__})."
        ) from error


class HashedReader(io.RawIOBase):
    """Passes a stream through, counting its bytes and hashing them."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._digest = hashlib.sha256()
        self.length = 0

    def readable(self) -> bool:
        """It can be read, as any stream that is read can."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as the source goes; raises UnusableAdapterError."""
        view = memoryview(buffer)
        with _readable():
            data = self._source.read(len(view))
        view[: len(data)] = data
        self._digest.update(data)
        self.length += len(data)
        return len(data)

    @property
    def sha256(self) -> str:
        """The hash of what has been read, in hexadecimal."""
        return self._digest.hexdigest()


class _CheckedHeader(tarfile.TarInfo):
    """Refuses a header whose extension would have to be held in memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        found = super().frombuf(buf, encoding, errors)
        if found.type in _EXTENSIONS and found.size > _MOST_EXTENSION_BYTES:
            raise UnusableAdapterError(
                f"The artifact has a header of {found.size} bytes; that is no adapter."
            )
        return found


def files_of(archive: IO[bytes]) -> Iterator[tuple[str, int, HashedReader]]:
    """Every file of a tar.gz with its size, to be read before the next one is asked for.

    Folders are passed over. Raises UnusableAdapterError for anything that is neither, for a name
    that is not a plain relative one or comes twice, and for an archive that is damaged or too
    large.
    """
    seen: set[str] = set()
    total = 0
    with (
        _readable(),
        gzip.GzipFile(fileobj=archive, mode="rb") as unzipped,
        closing(tarfile.open(fileobj=unzipped, mode="r|", tarinfo=_CheckedHeader)) as members,  # noqa: SIM115
    ):
        for member in members:
            if member.isdir():
                continue
            name = _plain_name(member)
            total += member.size
            if name in seen or len(seen) == MOST_FILES or total > MOST_BYTES:
                raise UnusableAdapterError(
                    f"The artifact holds {name!r} twice, over {MOST_FILES} files, or over "
                    f"{MOST_BYTES >> 30} GiB."
                )
            seen.add(name)
            content = members.extractfile(member)
            if content is not None:
                yield name, member.size, HashedReader(content)


def _plain_name(member: tarfile.TarInfo) -> str:
    name = member.name.removeprefix("./")
    if not member.isreg() or member.sparse is not None:
        raise UnusableAdapterError(f"The artifact holds {name!r}, which is no plain file.")
    if not _NAME.fullmatch(name):
        raise UnusableAdapterError(f"The artifact holds a file with the name {name!r}.")
    return name


LENGTH_BYTES = 8
MOST_HEADER_BYTES = 16 * 1024 * 1024
"""An adapter of every linear layer of a 70B model has a header of 300 kB."""
DTYPE_BYTES: Mapping[str, int] = {"F32": 4, "F16": 2, "BF16": 2}
"""What an adapter is stored in; bytes of one value."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


_ENTRIES = TypeAdapter(dict[str, _Entry])


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor's name, dtype and shape."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def values(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


def header_bytes(first: bytes, file_size: int) -> int:
    """The length of the header, from the file's first eight bytes.

    Raises UnusableAdapterError for a length that cannot be.
    """
    length = int.from_bytes(first[:LENGTH_BYTES], "little")
    if len(first) < LENGTH_BYTES or not 2 <= length <= min(MOST_HEADER_BYTES, file_size):
        raise UnusableAdapterError(
            f"The adapter's weights are no safetensors file: a header of {length} bytes in a file "
            f"of {file_size}."
        )
    return length


def read_header(header: bytes, file_size: int) -> list[Tensor]:
    """The tensors that a header declares, in the order in which they lie in the file.

    Raises UnusableAdapterError unless they fill the file exactly, without gaps or overlaps.
    """
    try:
        document = json.loads(header)
        document.pop("__metadata__", None)
        entries = _ENTRIES.validate_python(
            {name: {**one, "data_offsets": tuple(one["data_offsets"])} for name, one in
             document.items()}
        )  # fmt: skip
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError) as error:
        raise UnusableAdapterError(
            f"The adapter's weights have a damaged header ({type(error).__name__})."
        ) from error
    ordered = sorted(entries.items(), key=lambda item: item[1].data_offsets)
    at = 0
    for name, entry in ordered:
        at = _after(name, entry, at)
    if LENGTH_BYTES + len(header) + at != file_size:
        raise UnusableAdapterError(
            f"The adapter's weights are cut off or have a tail: the header declares {at} bytes of "
            f"tensors, the file has {file_size - LENGTH_BYTES - len(header)}."
        )
    return [Tensor(name, entry.dtype, tuple(entry.shape)) for name, entry in ordered]


def _after(name: str, entry: _Entry, begins: int) -> int:
    """Where a tensor ends that begins where the one before it ended."""
    size = DTYPE_BYTES.get(entry.dtype)
    if size is None:
        raise UnusableAdapterError(f"{name} is stored as {entry.dtype}, not as a float.")
    if not entry.shape or min(entry.shape) < 1:
        raise UnusableAdapterError(f"{name} has the shape {entry.shape}.")
    ends = begins + size * math.prod(entry.shape)
    if entry.data_offsets != (begins, ends):
        raise UnusableAdapterError(f"{name} lies at {entry.data_offsets}, not at {(begins, ends)}.")
    return ends
