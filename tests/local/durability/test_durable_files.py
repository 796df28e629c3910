"""Journals tolerate a torn last line and nothing else; files are replaced whole."""

import os
from pathlib import Path
from typing import Any

import pytest

from local.durability.files import (
    DamagedFile,
    LineJournal,
    read_document,
    read_lines,
    write_atomically,
)
from local.durability.room import DiskFull
from tests.local.full_disk import NO_SPACE, FillingFile


def test_entries_are_read_in_the_order_they_were_written(tmp_path: Path) -> None:
    journal = LineJournal(tmp_path / "j")
    for number in range(3):
        journal.append({"n": number})
    journal.close()
    assert list(read_lines(tmp_path / "j")) == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_missing_journal_is_empty(tmp_path: Path) -> None:
    assert list(read_lines(tmp_path / "none")) == []


@pytest.mark.parametrize("torn", [b'{"n": 1', b"", b"x" * 200_000])
def test_torn_line_is_left_out_and_set_aside_before_the_next(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "j"
    path.write_bytes(b'{"n": 0}\n' + torn)
    assert list(read_lines(path)) == [{"n": 0}]
    journal = LineJournal(path)
    journal.append({"n": 2})
    journal.close()
    assert list(read_lines(path)) == [{"n": 0}, {"n": 2}]
    aside = tmp_path / "j.torn"
    assert (aside.read_bytes() if torn else b"\n") == torn + b"\n"
    assert aside.exists() is bool(torn)


def test_torn_line_is_reported_with_the_place_where_it_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "j"
    path.write_bytes(b'{"n": 0}\n{"n"')
    LineJournal(path).close()
    assert f"Its last 4 bytes are kept in {path}.torn" in caplog.text


def test_line_cut_short_by_a_full_disk_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = LineJournal(path)
    journal.append({"n": 0})
    disk = FillingFile(journal._file, room=4)
    journal._file = disk  # type: ignore[assignment]
    with pytest.raises(DiskFull, match="j could not be written: the disk is full"):
        journal.append({"n": 1})
    assert path.read_bytes() == b'{"n":0}\n'
    disk.room = 1000
    journal.append({"n": 2})
    journal.close()
    assert list(read_lines(path)) == [{"n": 0}, {"n": 2}]


def test_torn_line_that_cannot_be_set_aside_yet_stays_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "j"
    path.write_bytes(b'{"n": 0}\n{"n"')
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", _no_space)
        journal = LineJournal(path)
        with pytest.raises(DiskFull):
            journal.append({"n": 1})
    assert path.read_bytes() == b'{"n": 0}\n{"n"'
    journal.append({"n": 1})
    journal.close()
    assert list(read_lines(path)) == [{"n": 0}, {"n": 1}]
    assert (tmp_path / "j.torn").read_bytes() == b'{"n"\n'


def test_file_is_as_it_was_when_the_disk_has_no_room_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_atomically(tmp_path / "f", b"old")
    monkeypatch.setattr(os, "fsync", _no_space)
    with pytest.raises(DiskFull, match="f could not be written"):
        write_atomically(tmp_path / "f", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("f", b"old")]


def test_journal_of_one_torn_line_is_emptied(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(b'{"n"')
    LineJournal(path).close()
    assert path.read_bytes() == b""


def test_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(b'{"n": 0}\nnot json\n{"n": 1}\n')
    with pytest.raises(DamagedFile, match=r"Line 2 of .*/j is damaged.*`make repair`"):
        list(read_lines(path))


def test_damaged_document_is_named(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_bytes(b'{"half')
    with pytest.raises(DamagedFile, match=r"d\.json is damaged.*`make repair`"):
        read_document(tmp_path / "d.json")


def test_replaced_file_holds_the_new_content_and_leaves_nothing_behind(tmp_path: Path) -> None:
    write_atomically(tmp_path / "f", b"old")
    write_atomically(tmp_path / "f", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("f", b"new")]


def _no_space(_descriptor: Any) -> None:
    raise NO_SPACE
