from __future__ import annotations

from brightrun.conversations.emotions import declared_arc
from tests.fakes import scaffolding

CRISIS = declared_arc(scaffolding.arc("crisis_to_referral"))


def test_no_arc_promises_nothing() -> None:
    assert declared_arc(None) is None


def test_the_ranges_are_those_of_the_arc() -> None:
    assert CRISIS is not None
    assert (CRISIS.starting_intensity, CRISIS.ending_intensity) == ((0.8, 1.0), (0.3, 0.5))


def test_a_feeling_of_the_other_end_does_not_fit_even_without_a_valence() -> None:
    assert CRISIS is not None
    assert CRISIS.start_fit("despair") == 1.0
    assert CRISIS.start_fit("referred") == 0.0
    assert CRISIS.end_fit("despair") == 0.0
    assert CRISIS.end_fit("relief") == 0.4
