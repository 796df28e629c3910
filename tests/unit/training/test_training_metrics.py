"""The trainer's records, read in chunks that may end anywhere."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brightrun.training.workflow.watch import latest, points_of, read_chunk, with_context
from tests.fakes.adapter import metrics_lines

LINES = metrics_lines(range(1, 6))


def test_a_half_written_line_is_left_for_the_next_time() -> None:
    chunk = read_chunk(LINES + b'{"kind": "step", "st')
    assert (len(chunk.records), chunk.length) == (5, len(LINES))


@given(st.integers(0, len(LINES)))
def test_wherever_a_piece_ends_nothing_is_lost_or_read_twice(cut: int) -> None:
    first = read_chunk(LINES[:cut])
    second = read_chunk(LINES[first.length :])
    assert [one["step"] for one in (*first.records, *second.records)] == [1, 2, 3, 4, 5]


@given(st.binary(max_size=200))
def test_no_bytes_at_all_make_it_fail(data: bytes) -> None:
    chunk = read_chunk(data)
    with_context(points_of(chunk.records), {})
    assert chunk.length <= len(data)


def test_a_step_written_again_after_a_restart_takes_its_own_place() -> None:
    before = points_of(read_chunk(metrics_lines(range(1, 6))).records)
    again = points_of(read_chunk(metrics_lines(range(3, 6))).records)
    assert [point.sequence for point in again] == [point.sequence for point in before[2:]]


def test_of_two_records_at_one_place_the_later_one_counts() -> None:
    body = metrics_lines(range(1, 2)) + metrics_lines(range(1, 2), at=1_795_000_500.0)
    (point,) = points_of(read_chunk(body).records)
    assert point.timestamp == "2026-11-18T11:15:01.000Z"


def test_an_evaluation_follows_its_step_and_has_its_epoch() -> None:
    body = (
        metrics_lines(range(1, 12))
        + json.dumps(
            {"kind": "evaluation", "step": 11, "validation_loss": 1.5, "time": 1_795_000_012}
        ).encode()
    )
    points = with_context(points_of(read_chunk(body + b"\n").records), {})
    assert points[-1].sequence == points[-2].sequence + 1
    assert (points[-1].epoch, points[-1].total_steps) == (1.0, 33)
    shown = latest(points, {})
    assert (shown["validation_loss"], shown["training_loss"]) == (1.5, 1.78)


@pytest.mark.parametrize("loss", ["NaN", "Infinity", "1e999", "1e150", '"2"', "true", "null"])
def test_what_is_no_storable_number_is_unknown(loss: str) -> None:
    line = f'{{"kind": "step", "step": 1, "total_steps": 2, "train_loss": {loss}}}\n'
    (point,) = points_of(read_chunk(line.encode()).records)
    assert point.training_loss is None


def test_a_number_too_small_for_the_table_is_zero() -> None:
    line = b'{"kind": "step", "step": 1, "total_steps": 2, "grad_norm": 1e-300}\n'
    (point,) = points_of(read_chunk(line).records)
    assert point.gradient_norm == 0.0


@pytest.mark.parametrize("step", ["-1", "1e300", '"one"', "null"])
def test_a_record_without_a_step_is_no_point(step: str) -> None:
    line = f'{{"kind": "step", "step": {step}, "total_steps": 2}}\n'
    assert points_of(read_chunk(line.encode()).records) == []


def test_other_records_are_no_points() -> None:
    body = b'{"kind": "stage", "stage": "saving", "step": 1}\n[1]\nnot json\n'
    assert points_of(read_chunk(body).records) == []
