"""The transition tables of jobs and items."""

from __future__ import annotations

import pytest

from brightrun.batches.model import (
    ENDED_ITEMS,
    ENDED_JOBS,
    ITEM_TRANSITIONS,
    JOB_TRANSITIONS,
    ItemStatus,
    JobAction,
    JobStatus,
)


def test_job_statuses_are_exactly_the_six_of_v1() -> None:
    assert [status.value for status in JobStatus] == [
        "queued",
        "processing",
        "paused",
        "completed",
        "failed",
        "cancelled",
    ]


def test_item_statuses_are_exactly_five() -> None:
    assert [status.value for status in ItemStatus] == [
        "queued",
        "processing",
        "completed",
        "failed",
        "cancelled",
    ]


def test_every_action_and_every_item_status_has_a_row() -> None:
    assert set(JOB_TRANSITIONS) == set(JobAction)
    assert set(ITEM_TRANSITIONS) == set(ItemStatus)


@pytest.mark.parametrize("action", JobAction)
def test_an_action_leads_to_the_status_of_its_name(action: JobAction) -> None:
    promised = {
        JobAction.BEGIN: {JobStatus.PROCESSING},
        JobAction.PAUSE: {JobStatus.PAUSED},
        JobAction.RESUME: {JobStatus.PROCESSING},
        JobAction.CANCEL: {JobStatus.CANCELLED},
        JobAction.COMPLETE: {JobStatus.COMPLETED},
        JobAction.FAIL: {JobStatus.FAILED},
        JobAction.RETRY_FAILED: {JobStatus.PROCESSING, JobStatus.PAUSED},
    }
    assert set(JOB_TRANSITIONS[action].values()) == promised[action]


def test_a_cancelled_job_never_changes_its_status_again() -> None:
    assert not [a for a, moves in JOB_TRANSITIONS.items() if JobStatus.CANCELLED in moves]


def test_only_a_retry_opens_an_ended_job() -> None:
    opened_by = {a for a, moves in JOB_TRANSITIONS.items() for s in moves if s in ENDED_JOBS}
    assert opened_by == {JobAction.RETRY_FAILED}


def test_a_retry_leaves_a_paused_job_paused() -> None:
    assert JOB_TRANSITIONS[JobAction.RETRY_FAILED][JobStatus.PAUSED] is JobStatus.PAUSED


def test_a_completed_item_never_changes_its_status_again() -> None:
    assert ITEM_TRANSITIONS[ItemStatus.COMPLETED] == frozenset()


def test_an_ended_item_can_only_be_queued_again() -> None:
    for status in ENDED_ITEMS - {ItemStatus.COMPLETED}:
        assert ITEM_TRANSITIONS[status] == {ItemStatus.QUEUED}


def test_an_item_is_never_completed_or_failed_without_having_been_claimed() -> None:
    results = {ItemStatus.COMPLETED, ItemStatus.FAILED}
    into = {status for status, following in ITEM_TRANSITIONS.items() if following & results}
    assert into == {ItemStatus.PROCESSING}
