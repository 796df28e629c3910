"""The version of a data folder: which version of the engine can read it, and its migrations.

Raise FORMAT with every change after which an older folder would be read wrongly, and add the
migration from the version before. What a new field of a record means when it is missing needs no
migration: that is for the code that reads the record.
"""

from collections.abc import Callable, Mapping

from local.durability.files import DamagedFile, write_atomically
from local.errors import LocalError
from local.settings import DataFolder

FORMAT = 1
"""What this version writes. Folders without a version file were written in format 1."""

Migration = Callable[[DataFolder], None]

MIGRATIONS: Mapping[int, Migration] = {}
"""By the format that they read, each writing the next one; after a kill one runs again."""


class NewerFolder(LocalError):
    """A later version of this program wrote the folder."""


def check_version(folder: DataFolder) -> int:
    """Return the format of a data folder, FORMAT for a new one; raises NewerFolder."""
    file = folder.version
    if not file.exists():
        return 1 if folder.holds_data else FORMAT
    text = file.read_text().strip()
    if not text.isdecimal():
        raise DamagedFile(f"{file} does not hold a version: write 1 into it, or restore a backup.")
    if int(text) > FORMAT:
        raise NewerFolder(
            f"{folder.root} was written by a newer version of Bright Run (data format {text}, this"
            f" one reads up to {FORMAT}): update this one, or choose another folder with"
            " --data-dir or BRIGHTRUN_DATA_DIR."
        )
    return int(text)


def record_version(folder: DataFolder) -> int:
    """Write the format of a data folder into it where that is missing; returns the format.

    Raises NewerFolder, DamagedFile and DiskFull.
    """
    version = check_version(folder)
    if not folder.version.exists():
        _write(folder, version)
    return version


def migrate(folder: DataFolder) -> None:
    """Bring a data folder to FORMAT, step by step; the caller holds its lock.

    Raises NewerFolder, DamagedFile and DiskFull.
    """
    version = record_version(folder)
    while version < FORMAT:
        MIGRATIONS[version](folder)
        version += 1
        _write(folder, version)


def _write(folder: DataFolder, version: int) -> None:
    write_atomically(folder.version, f"{version}\n".encode())
