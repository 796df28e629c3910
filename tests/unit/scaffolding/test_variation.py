"""Hints that make repetitions of one persona, arc and topic differ."""

from __future__ import annotations

import pytest

from brightrun.scaffolding.variation import VARIATIONS, variation_hint


def test_the_same_seed_and_number_give_the_same_hint() -> None:
    assert variation_hint("job:a:b:c", 3) == variation_hint("job:a:b:c", 3)


@pytest.mark.parametrize("seed", ["job-1:a:b:c", "job-2:a:b:c", ""])
def test_no_hint_of_a_seed_recurs_before_all_were_given(seed: str) -> None:
    hints = {variation_hint(seed, number) for number in range(1, VARIATIONS + 1)}
    assert len(hints) == VARIATIONS == 210


def test_neighbours_differ_in_every_line() -> None:
    for number in range(1, 50):
        first, second = (
            [line for line in variation_hint("s", at).splitlines() if ": " in line]
            for at in (number, number + 1)
        )
        assert len(first) == 3
        assert not set(first) & set(second)
