"""Data folders of older versions are migrated, those of newer ones are left alone."""

from pathlib import Path

import pytest

from local.durability import folder_version
from local.durability.files import DamagedFile
from local.durability.folder_version import FORMAT, MIGRATIONS, NewerFolder, migrate
from local.settings import DataFolder


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path)
    folder.create()
    return folder


def test_new_folder_gets_the_newest_format(folder: DataFolder) -> None:
    migrate(folder)
    assert folder.version.read_text() == f"{FORMAT}\n"


def test_there_is_a_migration_from_every_older_format() -> None:
    assert sorted(MIGRATIONS) == list(range(1, FORMAT))


def test_folder_without_a_version_is_of_format_1_and_migrated_step_by_step(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.items.touch()
    steps: list[str] = []
    monkeypatch.setattr(folder_version, "FORMAT", 3)
    monkeypatch.setattr(
        folder_version,
        "MIGRATIONS",
        {1: lambda _folder: steps.append("1 to 2"), 2: lambda _folder: steps.append("2 to 3")},
    )
    migrate(folder)
    assert steps == ["1 to 2", "2 to 3"]
    assert folder.version.read_text() == "3\n"
    migrate(folder)
    assert len(steps) == 2


def test_interrupted_migration_goes_on_from_its_last_whole_step(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.items.touch()
    steps: list[int] = []

    def second(_folder: DataFolder) -> None:
        steps.append(2)
        if steps.count(2) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(folder_version, "FORMAT", 3)
    monkeypatch.setattr(
        folder_version, "MIGRATIONS", {1: lambda _folder: steps.append(1), 2: second}
    )
    with pytest.raises(KeyboardInterrupt):
        migrate(folder)
    migrate(folder)
    assert steps == [1, 2, 2]


def test_folder_of_a_newer_version_is_refused_and_left_alone(folder: DataFolder) -> None:
    folder.version.write_text(f"{FORMAT + 1}\n")
    with pytest.raises(NewerFolder, match=r"newer version.*update this one.*--data-dir"):
        migrate(folder)
    assert folder.version.read_text() == f"{FORMAT + 1}\n"


def test_version_that_is_none_is_named(folder: DataFolder) -> None:
    folder.version.write_text("two\n")
    with pytest.raises(DamagedFile, match="version does not hold a version"):
        migrate(folder)
