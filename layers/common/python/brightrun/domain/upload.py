"""How a dataset's file gets in: its name, its parts, and what must have arrived."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from brightrun.domain.dataset import Dataset
from brightrun.errors import UploadMissingError, UploadSizeError

PART_BYTES = 16 * 1024 * 1024
"""One part of an upload in parts; S3 takes no smaller ones than 5 MiB except at the end."""
LARGEST_PIECE = 64 * 1024 * 1024
"""Above this a file comes in parts unless the caller says otherwise."""

_LONGEST_NAME = 100
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,10}$")
_MARKS = frozenset("._-()")


@dataclass(frozen=True, slots=True)
class PartLink:
    """A link that takes one part by PUT."""

    part_number: int
    url: str


@dataclass(frozen=True, slots=True)
class Upload:
    """How what is missing of a file is sent: one PUT to `url`, or one to the link of each part.

    `part_size` is in bytes; every part but the last has it. `uploaded` are the parts that arrived.
    """

    method: Literal["put", "multipart"]
    expires_in_seconds: int
    url: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    part_size: int | None = None
    parts: list[PartLink] = field(default_factory=list)
    uploaded: list[int] = field(default_factory=list)


def safe_file_name(name: str) -> str:
    """Make of whatever a caller calls a file a name that a key and a download can carry.

    Only what follows the last slash or backslash counts. Letters, digits, spaces and `. _ - ( )`
    stay, of any script; control and invisible characters go; any other becomes `_`, runs of `_`,
    of spaces and of dots one each. No space and none of `. _ -` stands at the front or right before
    the extension. A name is at most 100 characters long and keeps its extension (a dot and up to
    ten letters or digits); where nothing else is left it is called `dataset`.
    """
    text = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    plain = re.sub(r"([_. ])\1+", r"\1", "".join(map(_plain, text))).rstrip(" .")
    found = _EXTENSION.search(plain)
    extension = found.group() if found else ""
    stem = plain.removesuffix(extension).strip(" ._-")
    return (stem[: _LONGEST_NAME - len(extension)].rstrip(" .") or "dataset") + extension


def part_sizes(dataset: Dataset) -> dict[int, int]:
    """The bytes of each part, by its number from 1; none for a file that comes in one piece."""
    if dataset.part_size is None:
        return {}
    starts = range(0, dataset.file_size, dataset.part_size)
    return {
        number: min(dataset.part_size, dataset.file_size - start)
        for number, start in enumerate(starts, 1)
    }


def missing_parts(dataset: Dataset, arrived: Mapping[int, int]) -> list[int]:
    """The numbers of the parts that have not arrived, or not in their size."""
    return [number for number, size in part_sizes(dataset).items() if arrived.get(number) != size]


def not_arrived(dataset: Dataset, missing: list[int]) -> UploadMissingError:
    """The refusal to confirm what is not there yet."""
    if missing:
        listed = ", ".join(map(str, missing))
        sentence = f"Parts {listed} of the file have not arrived"
    else:
        sentence = f"The file '{dataset.file_name}' has not arrived"
    return UploadMissingError(
        f"{sentence}. Send what is missing to the links of "
        f"GET /api/datasets/{dataset.dataset_id}/upload, then confirm again.",
        details={"missing_parts": missing},
    )


def wrong_size(dataset: Dataset, found: int) -> UploadSizeError:
    """The refusal of a file that is not the declared one."""
    return UploadSizeError(
        f"The file has {found} bytes, but {dataset.file_size} were declared. Send the declared "
        "file again, or make a new dataset with the true size.",
        details={"declared_bytes": dataset.file_size, "found_bytes": found},
    )


def _plain(character: str) -> str:
    category = unicodedata.category(character)
    if character in _MARKS or category[0] in "LMN":
        return character
    if category[0] == "C" or category in {"Zl", "Zp"}:
        return ""
    return " " if category == "Zs" else "_"
