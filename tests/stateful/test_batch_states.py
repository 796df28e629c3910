"""No sequence of events loses or doubles an item: many thousand of them are tried."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.aws import moto_aws
from tests.effort import effort
from tests.stateful.batch_machine import BatchMachine
from tests.stateful.stores import Store, in_dynamodb, in_memory

STEPS_A_RUN = 50
KINDS_OF_EVENTS = 20
RUNS = effort(100, 300)
SELDOM = RUNS // 6
"""Even the rarest kind of event happens this often in the long run."""


def profile(runs: int, steps: int = STEPS_A_RUN) -> settings:
    """The same events at every run of the suite; a failure is shrunk and shown."""
    return settings(
        max_examples=runs,
        stateful_step_count=steps,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )


def run(store: Callable[[], Store], how: settings) -> int:
    """Run the machine, and give how many steps it took."""

    class OnTheStore(BatchMachine):
        def __init__(self) -> None:
            super().__init__(store())

    BatchMachine.steps.clear()
    run_state_machine_as_test(OnTheStore, settings=how)
    return BatchMachine.steps.total()


def run_in_dynamodb(how: settings) -> int:
    """Run the machine on tables of its own for each sequence: moto copies all at every write."""
    with ExitStack() as opened:

        def fresh() -> Store:
            opened.close()
            return in_dynamodb(opened.enter_context(moto_aws()))

        return run(fresh, how)


def test_the_store_in_memory_loses_and_doubles_nothing() -> None:
    assert run(in_memory, profile(20)) >= 500


@pytest.mark.slow
def test_the_store_in_memory_loses_and_doubles_nothing_in_thousands_of_steps(
    record_property: Callable[[str, object], None],
) -> None:
    steps = run(in_memory, profile(RUNS))
    assert steps >= RUNS * STEPS_A_RUN
    record_property("samples", steps)
    assert len(BatchMachine.steps) == KINDS_OF_EVENTS
    assert min(BatchMachine.steps.values()) >= SELDOM, BatchMachine.steps


@pytest.mark.slow
def test_dynamodb_loses_and_doubles_nothing_in_hundreds_of_steps() -> None:
    # Of few sequences, some may be drawn shorter.
    assert run_in_dynamodb(profile(effort(4, 10))) >= effort(150, 500)
