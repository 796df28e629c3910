"""The sums, versions and names of training files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brightrun.training_files.model import QualitySummary, name_key

SCORES = st.lists(st.integers(10, 50).map(lambda tenths: tenths / 10), min_size=1, max_size=30)


@given(SCORES)
def test_scores_added_one_by_one_give_the_same_summary(scores: list[float]) -> None:
    summary = QualitySummary()
    for score in scores:
        summary = summary.plus([score], human_reviewed=False)
    assert (summary.lowest, summary.highest) == (min(scores), max(scores))
    assert summary.average == pytest.approx(sum(scores) / len(scores), abs=0.00501)


def test_without_scores_there_is_no_average() -> None:
    summary = QualitySummary().plus([], human_reviewed=True)
    assert (summary.average, summary.lowest, summary.human_reviewed) == (None, None, 1)


@pytest.mark.parametrize("name", ["My  File", " my file ", "MY FILE"])
def test_names_that_differ_in_case_or_spaces_are_equal(name: str) -> None:
    assert name_key(name) == name_key("My file")
