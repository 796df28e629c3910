"""The scoreboard: what a report of tests says of a figure, and what is never called met."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.scoreboard import DOCUMENT, Measured, document, measured, samples_in
from benchmarks.scoreboard_figures import FIGURES, Figure

ROOT = Path(__file__).resolve().parents[2]


def a_test(inside: str = "", *, name: str = "test_it[a-b]") -> str:
    return f'<testcase classname="tests.a.test_of" name="{name}" time="1.5">{inside}</testcase>'


PASSED = a_test()
FAILED = a_test("<failure/>")
BROKEN = a_test("<error/>")
SKIPPED = a_test("<skipped/>")


def recorded(**values: float) -> str:
    said = "".join(f'<property name="{name}" value="{one}"/>' for name, one in values.items())
    return a_test(f"<properties>{said}</properties>")


def figure(
    fewest: int = 1, most: int = 0, measure: str = "", tests: str = "tests/a/test_of.py"
) -> Figure:
    return Figure("R1", "things lost", fewest, (tests,), most, measure)


def judged(wanted: Figure, *tests: str) -> Measured:
    written = f"<testsuites>{''.join(tests)}</testsuites>"
    report = ElementTree.fromstring(written)  # noqa: S314 - written above
    return measured(wanted, samples_in(report))


def test_tests_that_pass_are_samples_without_a_violation() -> None:
    found = judged(figure(fewest=2), PASSED, PASSED)
    assert (found.value, found.samples, found.verdict(), found.met) == (0, 2, "met", True)


def test_a_figure_has_the_samples_of_its_own_tests_alone() -> None:
    every = (PASSED, a_test(name="test_other"))
    assert judged(figure(), *every).samples == 2
    assert judged(figure(tests="tests/a/test_of.py::test_it"), *every).samples == 1
    assert judged(figure(tests="tests/a/test_another.py"), *every).samples == 0


def test_a_test_says_how_many_samples_it_took() -> None:
    assert judged(figure(fewest=501), recorded(samples=500), PASSED).met


@pytest.mark.parametrize("failing", [FAILED, BROKEN])
def test_a_failed_test_is_a_violation_whatever_the_others_say(failing: str) -> None:
    found = judged(figure(), PASSED, failing)
    assert (found.value, found.samples, found.met) == (1, 1, False)
    assert found.verdict() == "**1 TESTS FAILED**"


@pytest.mark.parametrize("tests", [(), (SKIPPED,)])
def test_a_figure_without_samples_is_never_met(tests: tuple[str, ...]) -> None:
    found = judged(figure(), *tests)
    assert (found.met, found.verdict()) == (False, "**NO SAMPLES**")


def test_too_few_samples_do_not_meet_a_target() -> None:
    found = judged(figure(fewest=3), PASSED, PASSED)
    assert (found.met, found.verdict()) == (False, "**TOO FEW SAMPLES** (of 3)")


def test_a_measured_value_is_the_largest_and_has_its_target() -> None:
    wanted = figure(most=4, measure="calls")
    assert judged(wanted, recorded(calls=2), recorded(calls=4), PASSED).met
    above = judged(wanted, recorded(calls=5), PASSED)
    assert (above.value, above.met, above.verdict()) == (5, False, "**MISSED**")


def test_a_figure_whose_measure_no_test_recorded_has_no_samples() -> None:
    assert judged(figure(most=4, measure="calls"), PASSED).samples == 0


def test_the_page_counts_what_is_met() -> None:
    page = document([judged(figure(), PASSED), judged(figure(), FAILED)])
    assert "| R1 | things lost | 0 | 0 | 1 | 2 | met |" in page
    assert "1 of 2 are met." in page


def test_there_are_twelve_figures_of_reliability_and_ten_of_security() -> None:
    names = [f"R{number}" for number in range(1, 13)] + [f"S{number}" for number in range(1, 11)]
    assert [one.name for one in FIGURES] == names


@pytest.mark.parametrize("one", FIGURES, ids=lambda one: one.name)
def test_a_figure_names_tests_that_there_are(one: Figure) -> None:
    for node in one.tests:
        file, _, test = node.partition("::")
        text = (ROOT / file).read_text("utf-8")
        assert not test or re.search(rf"^def {test}\(", text, flags=re.MULTILINE), node


def test_the_page_that_is_kept_has_every_figure_with_samples() -> None:
    rows = re.findall(
        r"^\| ([RS]\d+) \|.*\| ([\d,]+) \| [\d,]+ \|", DOCUMENT.read_text("utf-8"), re.M
    )
    assert [name for name, _ in rows] == [one.name for one in FIGURES]
    assert all(samples != "0" for _, samples in rows)
