"""The log's lines: their wording and their order."""

from __future__ import annotations

from datetime import timedelta

import pytest

from brightrun.batches import log as batch_log
from tests.builders import START

ITEM = "0123456789abcdef"
CONVERSATION = "fedcba9876543210"


def test_a_line_of_the_file_begins_with_its_timestamp_in_brackets() -> None:
    line = batch_log.log_line(START, "worker", "Hello")
    assert line.text() == "[2026-11-21T12:00:00.000Z] Hello"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (batch_log.item_started(ITEM, 3), "Processing item 01234567... (3 remaining)"),
        (
            batch_log.item_completed(ITEM, CONVERSATION),
            "✓ Item 01234567... completed (conversation: fedcba98...)",
        ),
        (batch_log.item_failed(ITEM, "It broke."), "✗ Item 01234567... failed: It broke."),
        (
            batch_log.item_requeued(ITEM, "Busy.", 2, 4, 31.6),
            "↻ Item 01234567... attempt 2 of 4 failed: Busy; next try in 32 s",
        ),
        (
            batch_log.item_requeued(ITEM, "Busy.", 1, 4, 3847),
            "↻ Item 01234567... attempt 1 of 4 failed: Busy; next try in 1 h 04 min",
        ),
        (batch_log.job_ended(10, 2, 0), "Batch job complete - 10 successful, 2 failed"),
        (
            batch_log.job_ended(10, 2, 3),
            "Batch job complete - 10 successful, 2 failed, 3 cancelled",
        ),
    ],
)
def test_lines_are_worded_as_in_v1(message: str, words: str) -> None:
    assert message == words


def test_lines_of_one_millisecond_keep_the_order_of_writing() -> None:
    lines = [batch_log.log_line(START, "worker", str(number)) for number in range(50)]
    assert sorted(lines, key=lambda line: line.entry_id) == lines


def test_the_timestamp_takes_precedence_over_the_order_of_writing() -> None:
    later = batch_log.log_line(START + timedelta(milliseconds=1), "a", "written first")
    earlier = batch_log.log_line(START, "b", "written second")
    assert sorted([later.entry_id, earlier.entry_id]) == [earlier.entry_id, later.entry_id]


def test_no_two_lines_have_the_same_entry() -> None:
    made = {batch_log.log_line(START, "worker", "same").entry_id for _ in range(100)}
    assert len(made) == 100
