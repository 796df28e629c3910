"""Measures the figures of docs/scoreboard.md with the tests that hold them.

The tests of all figures run once, with the effort that the targets ask for; what they record is
read from their JUnit report. Writes the document, and ends with 1 if a target is missed or a figure
has no samples.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.scoreboard_figures import FIGURES, Figure

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "scoreboard.md"
HEAD = """# Scoreboard

Reliability and security in figures, each measured by the tests that hold it: `make scoreboard` runs
them with more effort than `make test` does, writes this page, and fails where a target is missed.
A figure without samples is never met. `benchmarks/scoreboard_figures.py` names the tests of each;
`make scoreboard FIGURES="R1 S5"` measures some alone.

| figure | what it counts | value | target | samples | seconds | |
|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one test says: its file and name, how many samples it took, and the values it measured.

    `seconds` is how long it took.
    """

    file: str
    name: str
    samples: int
    values: Mapping[str, float]
    failed: bool
    seconds: float

    def is_of(self, node: str) -> bool:
        """Whether this is a test that a node of pytest names: a file, or a test of it."""
        file, _, name = node.partition("::")
        return self.file == file and name in {"", self.name}


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure with its value, its number of samples and how long they took, in seconds."""

    figure: Figure
    value: float
    samples: int
    failures: int
    seconds: float

    @property
    def met(self) -> bool:
        """Whether the target is met by enough samples."""
        enough = self.samples >= max(1, self.figure.fewest)
        return enough and not self.failures and self.value <= self.figure.most

    def verdict(self) -> str:
        """What stands in the last column."""
        if not self.samples:
            return "**NO SAMPLES**"
        if self.samples < self.figure.fewest:
            return f"**TOO FEW SAMPLES** (of {self.figure.fewest:,})"
        if self.failures:
            return f"**{self.failures} TESTS FAILED**"
        return "met" if self.met else "**MISSED**"

    def row(self) -> str:
        """Its row in the document."""
        figure = self.figure
        says = f"{figure.says}. {figure.deviation}".strip() if figure.deviation else figure.says
        target = f"at most {figure.most}" if figure.most else "0"
        cells = (figure.name, says, f"{self.value:,g}", target, f"{self.samples:,}")
        return f"| {' | '.join(cells)} | {self.seconds:,.0f} | {self.verdict()} |\n"


def samples_in(report: ElementTree.Element) -> Iterator[Sample]:
    """What the tests of a JUnit report say; a test that was skipped says nothing."""
    for test in report.iter("testcase"):
        if test.find("skipped") is not None:
            continue
        said = {one.attrib["name"]: float(one.attrib["value"]) for one in test.iter("property")}
        yield Sample(
            file=f"{test.attrib['classname'].replace('.', '/')}.py",
            name=test.attrib["name"].partition("[")[0],
            samples=int(said.get("samples", 1)),
            values=said,
            failed=test.find("failure") is not None or test.find("error") is not None,
            seconds=float(test.attrib["time"]),
        )


def measured(figure: Figure, samples: Iterable[Sample]) -> Measured:
    """The figure as its tests' samples have it; without its own measure there are none."""
    own = [one for one in samples if any(one.is_of(node) for node in figure.tests)]
    values = [one.values[figure.measure] for one in own if figure.measure in one.values]
    if figure.measure and not values:
        own = []
    failures = sum(one.failed for one in own)
    taken = sum(one.samples for one in own if not one.failed)
    seconds = sum(one.seconds for one in own)
    return Measured(figure, max(values, default=failures), taken, failures, seconds)


def run_tests(figures: Iterable[Figure]) -> list[Sample]:
    """Run the tests of all the figures once, with the effort that the figures ask for."""
    nodes = sorted({node for figure in figures for node in figure.tests})
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile"]
        command += ["-o", "junit_family=xunit1", f"--junitxml={report}", *nodes]
        subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "BRIGHTRUN_EFFORT": "full"},
            check=False,
        )
        root = ElementTree.parse(report).getroot()  # noqa: S314 - pytest wrote it just now
    return list(samples_in(root))


def document(results: Sequence[Measured]) -> str:
    """The page: one row a figure."""
    met = sum(one.met for one in results)
    return f"{HEAD}{''.join(one.row() for one in results)}\n{met} of {len(results)} are met.\n"


def main() -> int:
    """Measure every figure, or those that are named; only the whole is written."""
    options = argparse.ArgumentParser(prog="scoreboard", description=__doc__)
    options.add_argument("names", nargs="*", metavar="FIGURE", help="R1 to R12, S1 to S10")
    names = set(options.parse_args().names)
    unknown = names - {figure.name for figure in FIGURES}
    if unknown:
        options.error(f"unknown figure: {', '.join(sorted(unknown))}")
    figures = [figure for figure in FIGURES if not names or figure.name in names]
    samples = run_tests(figures)
    results = [measured(figure, samples) for figure in figures]
    print("".join(one.row() for one in results))
    if not names:
        DOCUMENT.write_text(document(results), "utf-8")
    return 0 if all(one.met for one in results) else 1


if __name__ == "__main__":
    sys.exit(main())
