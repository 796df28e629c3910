"""Which errors rules cover, and how long retries wait."""

import pytest

from local.workflows.failures import matches
from local.workflows.retries import RetryBudget, catcher_for


@pytest.mark.parametrize(
    ("rule", "error", "covered"),
    [
        ("Throttled", "Throttled", True),
        ("Throttled", "Other", False),
        ("States.ALL", "Anything", True),
        ("States.ALL", "States.Timeout", True),
        ("States.TaskFailed", "Anything", True),
        ("States.TaskFailed", "States.Timeout", False),
        ("States.ALL", "States.Runtime", False),
        ("States.ALL", "States.DataLimitExceeded", False),
        ("States.Runtime", "States.Runtime", True),
    ],
)
def test_rule_covers_an_error_or_not(rule: str, error: str, covered: bool) -> None:
    assert matches([rule], error) == covered


def test_delays_grow_by_the_backoff_rate_up_to_the_maximum() -> None:
    retrier = {
        "ErrorEquals": ["States.ALL"],
        "IntervalSeconds": 2,
        "BackoffRate": 3,
        "MaxAttempts": 4,
        "MaxDelaySeconds": 20,
    }
    budget = RetryBudget([retrier], lambda: 1.0)
    assert [budget.delay_before_retry("E") for _ in range(5)] == [2, 6, 18, 20, None]
    assert budget.used == 4


def test_delays_are_as_documented_when_nothing_is_said() -> None:
    budget = RetryBudget([{"ErrorEquals": ["E"]}], lambda: 1.0)
    assert [budget.delay_before_retry("E") for _ in range(4)] == [1, 2, 4, None]


def test_full_jitter_takes_a_random_part_of_the_delay() -> None:
    retrier = {"ErrorEquals": ["E"], "IntervalSeconds": 8, "JitterStrategy": "FULL"}
    assert RetryBudget([retrier], lambda: 0.25).delay_before_retry("E") == 2


def test_each_retrier_counts_its_own_attempts() -> None:
    retriers = [
        {"ErrorEquals": ["A"], "MaxAttempts": 1},
        {"ErrorEquals": ["States.ALL"], "MaxAttempts": 1},
    ]
    budget = RetryBudget(retriers, lambda: 1.0)
    assert budget.delay_before_retry("A") == 1
    assert budget.delay_before_retry("B") == 1
    assert budget.delay_before_retry("A") is None


def test_first_catcher_that_covers_the_error_takes_over() -> None:
    catchers = [
        {"ErrorEquals": ["A"], "Next": "first"},
        {"ErrorEquals": ["States.ALL"], "Next": "second"},
    ]
    assert catcher_for(catchers, "A") == catchers[0]
    assert catcher_for(catchers, "B") == catchers[1]
    assert catcher_for(catchers, "States.Runtime") is None
