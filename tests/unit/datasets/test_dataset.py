"""The state of a dataset, and its notifications."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from brightrun.datasets.model import VALIDATION_ENDS_WITHIN, read_dataset
from brightrun.datasets.validate_dataset import validation_ended
from tests.builders import START
from tests.fakes.datasets import a_dataset


@pytest.mark.parametrize(
    ("changes", "ready"),
    [
        ({}, True),
        ({"status": "error"}, False),
        ({"status": "validating"}, False),
        ({"trainable_pairs": 0}, False),
        ({"trainable_pairs": None}, False),
    ],
)
def test_only_a_ready_dataset_with_trainable_pairs_can_be_trained_on(
    changes: dict[str, Any], ready: bool
) -> None:
    assert a_dataset(**changes).training_ready is ready


def test_a_validation_is_stuck_when_no_execution_can_be_running() -> None:
    validating = a_dataset(status="validating")
    end = START + VALIDATION_ENDS_WITHIN
    assert not validating.is_stuck(end)
    assert validating.is_stuck(end.replace(microsecond=1))
    assert not a_dataset(status="ready").is_stuck(end.replace(microsecond=1))


def test_a_new_validation_forgets_the_problems_of_the_one_before() -> None:
    found = a_dataset(
        status="error", error_message="Bad.", validation_errors=[{}], validation_warnings=[{}]
    )
    again = found.validating('"other"', "2026-11-21T13:00:00.000Z")
    assert (again.validation_run, again.etag, again.execution_name) == (
        2,
        '"other"',
        "dataset-1-2",
    )
    assert (again.error_message, again.validation_errors, again.validation_warnings) == (
        None,
        [],
        [],
    )


def test_unknown_attributes_of_a_row_are_ignored() -> None:
    row = {**dataclasses.asdict(a_dataset()), "written_by_a_newer_release": 1}
    assert read_dataset(row) == a_dataset()


def test_a_notification_names_the_run_so_that_repeating_it_changes_nothing() -> None:
    first = validation_ended(a_dataset())
    assert validation_ended(a_dataset()) == first
    assert validation_ended(a_dataset(validation_run=2)) != first
    failed = validation_ended(a_dataset(status="error", error_message="Found 2 problems."))
    assert (failed.type, failed.title, failed.priority) == (
        "dataset_error",
        "Dataset Not Ready",
        "high",
    )
    assert failed.message == "The dataset 'First' is not ready: Found 2 problems."
