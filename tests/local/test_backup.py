"""A data folder as one file, and back: whole, or not at all."""

import stat
import tarfile
from pathlib import Path

import pytest

from local.backup import BackupFailed, back_up, restore
from local.durability import folder_version
from local.durability.folder_version import NewerFolder
from local.instance import AlreadyRunning, InstanceLock
from local.settings import DataFolder


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """A small data folder with something of each kind."""
    folder = DataFolder(tmp_path / "data")
    folder.create()
    folder.items.write_bytes(b"[]\n")
    folder.snapshot.write_bytes(b"{}")
    (folder.root / "s3" / "000000000000").mkdir(parents=True)
    (folder.root / "s3" / "000000000000" / "object").write_bytes(b"body")
    (folder.code / "extracted").write_bytes(b"code")
    folder.password.touch(mode=0o600)
    return folder


def test_restored_folder_holds_what_was_backed_up(folder: DataFolder, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar.gz"
    assert back_up(folder, file) == file.stat().st_size
    restored = DataFolder(tmp_path / "restored")
    restore(file, restored)
    assert (restored.root / "s3" / "000000000000" / "object").read_bytes() == b"body"
    assert restored.items.read_bytes() == b"[]\n"
    assert restored.version.read_text() == f"{folder_version.FORMAT}\n"
    assert stat.S_IMODE(restored.password.stat().st_mode) == 0o600
    assert not restored.code.exists()  # made anew at every start


def test_running_system_is_not_backed_up(folder: DataFolder, tmp_path: Path) -> None:
    with InstanceLock(folder.lock), pytest.raises(AlreadyRunning, match="stop it"):
        back_up(folder, tmp_path / "backup.tar.gz")
    assert not (tmp_path / "backup.tar.gz").exists()


@pytest.mark.parametrize(
    ("where", "sentence"),
    [("data/backup.tar.gz", "in the data folder itself"), ("none/backup.tar.gz", "no folder")],
)
def test_place_where_no_backup_can_lie_is_named(
    folder: DataFolder, tmp_path: Path, where: str, sentence: str
) -> None:
    with pytest.raises(BackupFailed, match=sentence):
        back_up(folder, tmp_path / where)


def test_folder_without_data_has_no_backup(tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="holds no data"):
        back_up(DataFolder(tmp_path / "none"), tmp_path / "backup.tar.gz")


def test_folder_that_holds_anything_is_not_overwritten(folder: DataFolder, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar.gz"
    back_up(folder, file)
    with pytest.raises(BackupFailed, match=r"is not empty: move it away first \(mv "):
        restore(file, folder)
    assert folder.items.read_bytes() == b"[]\n"


def test_backup_that_was_cut_short_restores_nothing(folder: DataFolder, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar.gz"
    (folder.root / "s3" / "large").write_bytes(bytes(range(256)) * 4_000)
    back_up(folder, file)
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(BackupFailed, match="it is not a whole backup"):
        restore(file, DataFolder(tmp_path / "restored"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.tar.gz", "data"]


def test_file_that_is_no_backup_is_named(tmp_path: Path) -> None:
    target = DataFolder(tmp_path / "restored")
    (tmp_path / "text").write_text("text")
    with pytest.raises(BackupFailed, match="text cannot be restored: it is not a whole backup"):
        restore(tmp_path / "text", target)
    with pytest.raises(BackupFailed, match="none cannot be restored: no such file"):
        restore(tmp_path / "none", target)
    with tarfile.open(tmp_path / "other.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "text", "text")
    with pytest.raises(BackupFailed, match="is no backup of a data folder"):
        restore(tmp_path / "other.tar.gz", target)


def test_backup_of_a_newer_version_is_refused(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "backup.tar.gz"
    folder.version.write_text(f"{folder_version.FORMAT + 1}\n")
    with monkeypatch.context() as newer:
        newer.setattr(folder_version, "FORMAT", folder_version.FORMAT + 1)
        back_up(folder, file)
    with pytest.raises(NewerFolder, match="update this one"):
        restore(file, DataFolder(tmp_path / "restored"))
