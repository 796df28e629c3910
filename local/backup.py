"""A data folder as one file, and back."""

import shutil
import tarfile
import zlib
from pathlib import Path

from local.durability.files import replacing
from local.durability.folder_version import check_version, record_version
from local.durability.room import naming_a_full_disk
from local.errors import LocalError
from local.instance import InstanceLock
from local.settings import DataFolder

_LEFT_OUT = {"engine.lock", "code", "tmp", "logs"}
"""What the engine makes anew, and its logs."""

_UNREADABLE = (tarfile.TarError, EOFError, zlib.error, OSError)


class BackupFailed(LocalError):
    """A backup cannot be made from there, or not be restored to there."""


def back_up(folder: DataFolder, file: Path) -> int:
    """Write a data folder to a gzipped tar file; returns its size in bytes.

    Raises AlreadyRunning, BackupFailed and DiskFull; a file that was there then stands.
    """
    if not folder.holds_data:
        raise BackupFailed(f"There is nothing to back up: {folder.root} holds no data.")
    if file.absolute().is_relative_to(folder.root):
        raise BackupFailed(f"{file} lies in the data folder itself: choose a file outside it.")
    if not file.absolute().parent.is_dir():
        raise BackupFailed(f"There is no folder {file.absolute().parent}: make it first.")
    with InstanceLock(folder.lock):
        record_version(folder)
        with replacing(file) as draft, tarfile.open(fileobj=draft, mode="w:gz") as archive:
            archive.add(folder.version, folder.version.name)
            for path in sorted(folder.root.iterdir()):
                if path.name not in {*_LEFT_OUT, folder.version.name}:
                    archive.add(path, path.name)
    return file.stat().st_size


def restore(file: Path, folder: DataFolder) -> None:
    """Make a data folder of a backup; raises BackupFailed, NewerFolder and DiskFull.

    Nothing is there after an error, and a folder that holds anything is left alone.
    """
    if folder.root.exists() and any(folder.root.iterdir()):
        raise BackupFailed(
            f"{folder.root} is not empty: move it away first (mv {folder.root} {folder.root}.old),"
            " or choose another folder with --data-dir."
        )
    draft = DataFolder(folder.root.with_name(f"{folder.root.name}.restoring"))
    shutil.rmtree(draft.root, ignore_errors=True)
    try:
        _extract(file, draft.root)
        if not draft.version.exists() or not draft.holds_data:
            raise BackupFailed(f"{file} is no backup of a data folder.")
        check_version(draft)
        draft.root.replace(folder.root)
    finally:
        shutil.rmtree(draft.root, ignore_errors=True)


def _extract(file: Path, target: Path) -> None:
    target.mkdir(mode=0o700, parents=True)
    try:
        with naming_a_full_disk(target), tarfile.open(file, "r:gz") as archive:
            archive.extractall(target, filter="data")
    except _UNREADABLE as error:
        raise BackupFailed(f"{file} cannot be restored: {_reason(error)}.") from None


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "it is not a whole backup"
