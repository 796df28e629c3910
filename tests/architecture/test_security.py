"""Every control that SECURITY.md claims names a test that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = re.findall(
    r"^\| (?P<danger>[^|]+) \| [^|]+ \| `(?P<file>[^`:]+)::(?P<test>\w+)` \|$",
    (ROOT / "SECURITY.md").read_text("utf-8"),
    flags=re.MULTILINE,
)


def test_the_threat_model_is_read_whole() -> None:
    table = [line for line in (ROOT / "SECURITY.md").read_text("utf-8").splitlines() if "|" in line]
    assert len(ROWS) == len(table) - 2  # its head and its rule
    assert len(ROWS) >= 20


@pytest.mark.parametrize(("danger", "file", "test"), ROWS)
def test_a_control_is_held_by_a_test(danger: str, file: str, test: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    assert re.search(rf"^def {test}\(", text, flags=re.MULTILINE), danger
