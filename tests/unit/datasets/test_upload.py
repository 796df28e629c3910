"""Safe file names, and the parts of an upload."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brightrun.core import object_keys
from brightrun.datasets.model import missing_parts, part_sizes, safe_file_name
from tests.fakes.datasets import a_dataset


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("rows.jsonl", "rows.jsonl"),
        ("My rows (2).JSONL", "My rows (2).JSONL"),
        ("Räume für März.jsonl", "Räume für März.jsonl"),
        ("Ra\u0308ume.jsonl", "Räume.jsonl"),
        ("訓練データ.jsonl", "訓練データ.jsonl"),
        ("हिन्दी.jsonl", "हिन्दी.jsonl"),
        ("/etc/passwd", "passwd"),
        ("../../other-owner/rows.jsonl", "rows.jsonl"),
        ("..\\..\\rows.jsonl", "rows.jsonl"),
        ("C:\\data\\rows.jsonl", "rows.jsonl"),
        ("..", "dataset"),
        ("...", "dataset"),
        ("", "dataset"),
        ("a/", "dataset"),
        (".jsonl", "dataset.jsonl"),
        (".hidden", "dataset.hidden"),
        ("...hidden rows.jsonl", "hidden rows.jsonl"),
        ("-rf.jsonl", "rf.jsonl"),
        ("a..b.jsonl", "a.b.jsonl"),
        ("rows.tar.gz", "rows.tar.gz"),
        ("rows.", "rows"),
        ("rows \t\r\n.jsonl", "rows.jsonl"),
        ("ro\x00ws\x1b[31m.jsonl", "rows_31m.jsonl"),
        ("rows\u202elnosj.exe", "rowslnosj.exe"),
        ("ro\u200bws\ufeff.jsonl", "rows.jsonl"),
        ("rows\u2028\u2029.jsonl", "rows.jsonl"),
        ('a"; filename="b.jsonl', "a_ filename_b.jsonl"),
        ("a%2F..%2Fb.jsonl", "a_2F._2Fb.jsonl"),
        ("what?*<>|:&#.jsonl", "what.jsonl"),
        ("\ud800.jsonl", "dataset.jsonl"),
        ("x" * 300 + ".jsonl", "x" * 94 + ".jsonl"),
        ("rows.notanextensionatall", "rows.notanextensionatall"),
    ],
)
def test_a_file_name_is_made_safe_and_stays_readable(name: str, safe: str) -> None:
    assert safe_file_name(name) == safe


@given(st.text(alphabet=st.characters(), max_size=400))
def test_whatever_a_file_is_called_its_key_stays_below_its_dataset(name: str) -> None:
    safe = safe_file_name(name)
    assert 1 <= len(safe) <= 100
    assert not re.search(r"[\x00-\x1f\x7f/\\\"'%&?#<>|*:]", safe)
    assert safe[0] not in " .-_"
    assert not safe.endswith((" ", "."))
    assert safe_file_name(safe) == safe
    key = object_keys.dataset_file("owner-1", "dataset-1", safe)
    assert len(key.encode()) <= 1024
    assert key.count("/") == 2


def test_a_file_in_one_request_has_no_parts() -> None:
    assert part_sizes(a_dataset()) == {}
    assert missing_parts(a_dataset(), {}) == []


@pytest.mark.parametrize(
    ("size", "sizes"),
    [(1, {1: 1}), (10, {1: 10}), (11, {1: 10, 2: 1}), (30, {1: 10, 2: 10, 3: 10})],
)
def test_every_part_but_the_last_has_the_full_size(size: int, sizes: dict[int, int]) -> None:
    assert part_sizes(a_dataset(file_size=size, part_size=10)) == sizes


def test_a_part_of_another_size_counts_as_missing() -> None:
    dataset = a_dataset(file_size=25, part_size=10)
    assert missing_parts(dataset, {1: 10, 2: 9, 3: 5, 4: 10}) == [2]
    assert missing_parts(dataset, {}) == [1, 2, 3]
