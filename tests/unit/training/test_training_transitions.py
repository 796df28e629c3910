"""How a training job goes from status to status."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

import pytest

from brightrun.core.errors import JobEndedError
from brightrun.core.timestamps import iso
from brightrun.training.model import TERMINAL, JobStatus, TrainingJob
from brightrun.training.transitions import (
    TRANSITIONS,
    cancelled,
    changed,
    ended,
    progressed,
    starting,
    waiting_for_capacity,
)
from tests.builders import START
from tests.fakes.training_jobs import a_training_job

LATER = START + timedelta(minutes=30)


def running(**changes: Any) -> TrainingJob:
    return a_training_job(status="running", stage="training", started_at=iso(START), **changes)


def test_every_status_has_its_transitions_and_leads_to_every_end() -> None:
    assert set(TRANSITIONS) == set(get_args(JobStatus))
    for status in set(TRANSITIONS) - TERMINAL:
        assert TRANSITIONS[status] >= {"failed", "cancelled"}


@pytest.mark.parametrize("after", sorted(TRANSITIONS))
@pytest.mark.parametrize("before", sorted(TRANSITIONS))
def test_every_pair_of_statuses_is_decided_as_the_table_says(before: Any, after: Any) -> None:
    job = a_training_job(status=before)
    if after in TRANSITIONS[before]:
        assert changed(job, LATER, status=after).status == after
    else:
        with pytest.raises(JobEndedError):
            changed(job, LATER, status=after)


@pytest.mark.parametrize("end", sorted(TERMINAL))
def test_an_ended_job_keeps_its_status(end: Any) -> None:
    job = a_training_job(status=end)
    for other in set(TRANSITIONS) - {end}:
        with pytest.raises(JobEndedError) as refusal:
            changed(job, LATER, status=other)
        assert refusal.value.details["status"] == end


def test_a_queued_job_cannot_be_completed() -> None:
    with pytest.raises(JobEndedError, match="queued and cannot become completed"):
        ended(a_training_job(), LATER, "completed", final_cost=1.0, billed_seconds=1)


def test_a_job_whose_bill_is_closed_is_not_changed_at_all() -> None:
    job = a_training_job(status="failed", settled=True)
    with pytest.raises(JobEndedError):
        changed(job, LATER, progress=2.0)


def test_each_change_is_the_next_version_of_its_moment() -> None:
    job = changed(a_training_job(), LATER, progress=2.0)
    assert (job.version, job.updated_at, job.progress) == (2, iso(LATER), 2.0)


def test_a_start_is_counted_and_forgets_the_wait_before_it() -> None:
    waiting = waiting_for_capacity(starting(a_training_job(), START), START, "No quota.", LATER)
    assert (waiting.status, waiting.stage) == ("queued", "waiting_for_capacity")
    assert (waiting.stage_reason, waiting.next_try_at) == ("No quota.", iso(LATER))
    again = starting(waiting, LATER)
    assert (again.status, again.stage, again.start_attempts) == ("initializing", "starting", 2)
    assert (again.stage_reason, again.next_try_at) == (None, None)


def test_progress_has_the_cost_so_far_and_the_estimated_completion() -> None:
    job = progressed(running(), LATER, "running", "training", progress=25.0)
    assert job.current_cost == 3.0  # half an hour at 6 dollars
    assert job.estimated_completion_at == iso(START + timedelta(hours=2))


def test_a_cancelled_job_is_stopping_and_costs_money_until_its_bill_is_closed() -> None:
    job = cancelled(running(), LATER)
    assert (job.status, job.stage, job.settled) == ("cancelled", "stopping", False)
    assert (job.stopped_reason, job.estimated_completion_at) == ("cancelled", None)
    settled = ended(job, LATER, "cancelled", final_cost=3.5, billed_seconds=2100)
    assert (settled.settled, settled.final_cost, settled.stage) == (True, 3.5, "done")


def test_a_completed_job_has_full_progress_and_a_failed_one_keeps_its_progress() -> None:
    job = running(progress=60.0)
    done = ended(job, LATER, "completed", final_cost=3.0, billed_seconds=1800)
    assert (done.progress, done.current_cost, done.completed_at) == (100.0, 3.0, iso(LATER))
    failed = ended(
        job, LATER, "failed", final_cost=3.0, billed_seconds=1800, error_message="Out of memory."
    )
    assert (failed.progress, failed.error_message) == (60.0, "Out of memory.")
