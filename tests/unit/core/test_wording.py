"""Durations as sentences say them."""

from __future__ import annotations

import pytest

from brightrun.core.wording import duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (45.4, "45 s"),
        (59.6, "1 min"),
        (200, "3 min 20 s"),
        (900, "15 min"),
        (3847, "1 h 04 min"),
        (7500, "2 h 05 min"),
        (86_400, "24 h 00 min"),
    ],
)
def test_a_duration_is_said_in_the_two_units_that_matter(seconds: float, words: str) -> None:
    assert duration(seconds) == words
