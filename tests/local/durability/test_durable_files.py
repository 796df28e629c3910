"""Journals tolerate a torn last line and nothing else; files are replaced whole."""

from pathlib import Path

import pytest

from local.durability.files import DamagedFile, LineJournal, read_lines, write_atomically


def test_entries_are_read_in_the_order_they_were_written(tmp_path: Path) -> None:
    journal = LineJournal(tmp_path / "j")
    for number in range(3):
        journal.append({"n": number})
    journal.close()
    assert list(read_lines(tmp_path / "j")) == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_missing_journal_is_empty(tmp_path: Path) -> None:
    assert list(read_lines(tmp_path / "none")) == []


@pytest.mark.parametrize("torn", [b'{"n": 1', b"", b"x" * 200_000])
def test_torn_line_is_left_out_and_cut_before_the_next(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "j"
    path.write_bytes(b'{"n": 0}\n' + torn)
    assert list(read_lines(path)) == [{"n": 0}]
    journal = LineJournal(path)
    journal.append({"n": 2})
    journal.close()
    assert list(read_lines(path)) == [{"n": 0}, {"n": 2}]


def test_journal_of_one_torn_line_is_emptied(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(b'{"n"')
    LineJournal(path).close()
    assert path.read_bytes() == b""


def test_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(b'{"n": 0}\nnot json\n{"n": 1}\n')
    with pytest.raises(DamagedFile, match=r"j, line 2: not JSON"):
        list(read_lines(path))


def test_replaced_file_holds_the_new_content_and_leaves_nothing_behind(tmp_path: Path) -> None:
    write_atomically(tmp_path / "f", b"old")
    write_atomically(tmp_path / "f", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("f", b"new")]
