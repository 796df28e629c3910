"""Adapter archives and safetensors headers, read as streams; nothing in them is trusted.

An archive comes from a container: its names may lead out of the folder, its links anywhere, its
headers and files may claim any size. It is read with a few megabytes of memory, whatever it holds.

A safetensors file has eight bytes with the header's length, then JSON of names to dtype, shape and
offsets, then the tensors without gaps (the safetensors project's format description).
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
"""Of a header with a long name or times, which tarfile reads into memory as a whole."""
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
    """Raise UnusableAdapterError for an archive that cannot be read."""
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnusableAdapterError(
            f"The artifact is not a complete tar.gz file ({type(error).__name__})."
        ) from error


class HashedReader(io.RawIOBase):
    """Passes a stream through, counting its bytes and hashing them."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._digest = hashlib.sha256()
        self.length = 0

    def readable(self) -> bool:
        """True: this stream can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read up to the buffer's size from the source; raises UnusableAdapterError."""
        view = memoryview(buffer)
        with _readable():
            data = self._source.read(len(view))
        view[: len(data)] = data
        self._digest.update(data)
        self.length += len(data)
        return len(data)

    @property
    def sha256(self) -> str:
        """The hash of the bytes read so far, in hexadecimal."""
        return self._digest.hexdigest()


class _CheckedHeader(tarfile.TarInfo):
    """Refuses a header whose extension is too large to hold in memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        found = super().frombuf(buf, encoding, errors)
        if found.type in _EXTENSIONS and found.size > _MOST_EXTENSION_BYTES:
            raise UnusableAdapterError(
                f"The artifact has a header of {found.size} bytes, which is too large."
            )
        return found


def files_of(archive: IO[bytes]) -> Iterator[tuple[str, int, HashedReader]]:
    """Yield each file of a tar.gz with its size; read it before requesting the next one.

    Folders are skipped. Raises UnusableAdapterError for links and other members, for a name that is
    not a plain relative one or occurs twice, and for an archive that is damaged or too large.
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
        raise UnusableAdapterError(f"The artifact holds {name!r}, which is not a regular file.")
    if not _NAME.fullmatch(name):
        raise UnusableAdapterError(f"The artifact holds a file with the name {name!r}.")
    return name


LENGTH_BYTES = 8
MOST_HEADER_BYTES = 16 * 1024 * 1024
"""An adapter of every linear layer of a 70B model has a header of 300 kB."""
DTYPE_BYTES: Mapping[str, int] = {"F32": 4, "F16": 2, "BF16": 2}
"""The dtypes of adapters, with the bytes of one value."""


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

    Raises UnusableAdapterError for an impossible length.
    """
    length = int.from_bytes(first[:LENGTH_BYTES], "little")
    if len(first) < LENGTH_BYTES or not 2 <= length <= min(MOST_HEADER_BYTES, file_size):
        raise UnusableAdapterError(
            f"The adapter's weights are not a safetensors file: a header of {length} bytes in a "
            f"file of {file_size}."
        )
    return length


def read_header(header: bytes, file_size: int) -> list[Tensor]:
    """The tensors that a header declares, in the order of the file.

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
        at = _end_of(name, entry, at)
    if LENGTH_BYTES + len(header) + at != file_size:
        raise UnusableAdapterError(
            f"The adapter's weights are truncated or too long: the header declares {at} bytes of "
            f"tensors, the file has {file_size - LENGTH_BYTES - len(header)}."
        )
    return [Tensor(name, entry.dtype, tuple(entry.shape)) for name, entry in ordered]


def _end_of(name: str, entry: _Entry, begins: int) -> int:
    """The offset at which a tensor ends that begins at `begins`."""
    size = DTYPE_BYTES.get(entry.dtype)
    if size is None:
        raise UnusableAdapterError(f"{name} is stored as {entry.dtype}, not as a float.")
    if not entry.shape or min(entry.shape) < 1:
        raise UnusableAdapterError(f"{name} has the shape {entry.shape}.")
    ends = begins + size * math.prod(entry.shape)
    if entry.data_offsets != (begins, ends):
        raise UnusableAdapterError(f"{name} lies at {entry.data_offsets}, not at {(begins, ends)}.")
    return ends
