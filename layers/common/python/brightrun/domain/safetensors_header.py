"""The header of a safetensors file: what tensors it holds, read without any tensor library.

Format: eight bytes with the header's length, then JSON of names to dtype, shape and offsets, then
the tensors without gaps (the safetensors project's format description).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, TypeAdapter

from brightrun.errors.training import UnusableAdapterError

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
