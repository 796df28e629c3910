"""Names and pauses of attempts to get instances."""

from __future__ import annotations

import pytest

from brightrun.training.workflow.model import execution_name, next_name, pause_s


def test_each_attempt_has_a_name_of_its_own() -> None:
    name, names = "brightrun-0196b3f0-0000-7000-8000-000000000001", []
    for _ in range(12):
        name = next_name(name)
        names.append(name)
    assert names[0].endswith("-r2")
    assert names[-1].endswith("0001-r13")
    assert len(names[-1]) <= 63


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(0, 15), (1, 15), (2, 30), (3, 60), (5, 240), (6, 300), (10_000, 300)],
)
def test_pauses_double_up_to_the_longest(attempts: int, seconds: int) -> None:
    assert pause_s(attempts, 300) == seconds


def test_a_short_longest_pause_is_kept_from_the_first_attempt() -> None:
    assert pause_s(1, 2) == 2


def test_the_first_execution_is_named_after_the_job() -> None:
    assert [execution_name("job", run) for run in (1, 2, 10)] == ["job", "job-2", "job-10"]
