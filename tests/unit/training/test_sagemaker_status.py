"""Every status that SageMaker can report is mapped, and no other."""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session
import pytest

from brightrun.training.sagemaker.model import RUN_STAGES, RUN_STATES, run_stage, run_state
from brightrun.training.transitions import TRANSITIONS


@cache
def model() -> Any:
    return botocore.session.get_session().get_service_model("sagemaker")


def test_the_statuses_are_those_of_the_service() -> None:
    assert RUN_STATES.keys() == set(model().shape_for("TrainingJobStatus").enum)


def test_the_secondary_statuses_are_those_of_the_service() -> None:
    assert RUN_STAGES.keys() == set(model().shape_for("SecondaryStatus").enum)


def test_a_status_that_the_service_adds_leaves_the_job_watched_where_it_is() -> None:
    assert run_state("Hibernating") == "active"
    added = run_stage("Hibernating", "training")
    assert (added.status, added.stage) == (None, "training")
    assert "Hibernating" in added.message


@pytest.mark.parametrize("secondary", RUN_STAGES)
def test_a_started_job_can_get_to_where_a_secondary_status_puts_it(secondary: str) -> None:
    status = RUN_STAGES[secondary].status
    assert status is None or status in TRANSITIONS["initializing"] & TRANSITIONS["running"]


def test_only_a_trainings_own_end_is_an_end() -> None:
    ended = {status for status, state in RUN_STATES.items() if state == "ended"}
    assert ended == {"Completed", "Failed", "Stopped", "Deleting"}
