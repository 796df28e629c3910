"""The changes that CONTRIBUTING.md describes: its files exist, and its lists keep their limits."""

from __future__ import annotations

import re

import pytest

from tests.architecture.source import LAYER, ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
CHANGES = re.split(r"^### ", TEXT.partition("## The five commonest changes")[2], flags=re.M)[1:]
LIMITS = {"1. A route": 5, "2. A dataset format": 4}
"""The most product files that a change of this kind touches."""


def files(change: str) -> list[str]:
    return re.findall(r"`([\w./-]+\.(?:py|json))`", change)


def title(change: str) -> str:
    return change.splitlines()[0]


def test_five_changes_are_described() -> None:
    assert len(CHANGES) == 5


@pytest.mark.parametrize("change", CHANGES, ids=title)
def test_every_file_that_a_change_names_exists(change: str) -> None:
    named = files(change)
    assert named
    assert [
        name for name in named if not any((base / name).is_file() for base in (ROOT, LAYER))
    ] == []


@pytest.mark.parametrize("change", [one for one in CHANGES if title(one) in LIMITS], ids=title)
def test_a_change_touches_no_more_product_files_than_its_limit(change: str) -> None:
    product = [name for name in files(change) if not name.startswith("tests/")]
    assert len(product) <= LIMITS[title(change)]


def test_every_route_module_has_its_schemas_and_a_service_beside_it() -> None:
    """A route's change stays in one folder, so that the list above holds for every capability."""
    folders = {path.parent for path in (LAYER / "brightrun").rglob("*routes.py")}
    assert folders
    bare = [
        str(folder.relative_to(LAYER))
        for folder in folders
        if not list(folder.glob("*schemas.py")) or len(list(folder.glob("*.py"))) < 4
    ]
    assert bare == []
