"""The page of codes is made of the table, and committed."""

from __future__ import annotations

from pathlib import Path

from brightrun.formats.codes import codes_page

PAGE = Path(__file__).resolve().parents[3] / "docs" / "dataset-codes.md"


def test_the_committed_page_is_what_the_table_says() -> None:
    assert PAGE.read_text("utf-8") == codes_page()
