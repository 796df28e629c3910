"""The trainer's metrics, read in chunks as the file grows, and from the start if it shrinks."""

from __future__ import annotations

import dataclasses
from typing import IO, Any

import pytest

from brightrun.core.errors import StorageError
from brightrun.training.model import TrainingJob
from brightrun.training.workflow import watch
from brightrun.training.workflow.watch import ProgressReader
from tests.builders import OWNER
from tests.fakes.adapter import metrics_lines
from tests.fakes.training_jobs import InMemoryTrainingRecords, a_training_job


class OneFile:
    """ArtifactFiles over one growing file that can only be read."""

    def __init__(self, body: bytes = b"") -> None:
        self.body = body
        self.fails = False
        self.reads: list[tuple[int, int]] = []

    def read(self, key: str, offset: int, most: int) -> bytes:
        if self.fails:
            raise StorageError("GetObject", "SlowDown")
        self.reads.append((offset, most))
        return self.body[offset : offset + most]

    def open(self, key: str) -> IO[bytes] | None:
        raise AssertionError(key)

    def write(self, key: str, source: IO[bytes], size: int) -> None:
        raise AssertionError(key)


class World:
    def __init__(self, body: bytes = b"") -> None:
        self.file, self.records = OneFile(body), InMemoryTrainingRecords()
        self.job: TrainingJob = a_training_job()

    def look(self) -> dict[str, Any]:
        changes = ProgressReader(self.file, self.records).changes(self.job)
        self.job = dataclasses.replace(self.job, **changes)
        return changes

    def steps(self) -> list[int]:
        found = self.records.latest_points(OWNER, self.job.job_id, 10_000)
        return [point.step for point in found]


def test_only_what_is_new_is_read() -> None:
    world = World(metrics_lines(range(1, 12)))
    world.look()
    read = world.job.metrics_read
    world.file.body += metrics_lines(range(12, 23))
    world.look()
    assert world.file.reads[-1][0] == read - 1
    assert world.steps() == list(range(1, 23))
    assert (world.job.current_step, world.job.progress) == (22, 66.67)
    assert world.job.current_metrics["training_loss"] == 1.56


def test_nothing_new_changes_nothing() -> None:
    world = World(metrics_lines(range(1, 12)))
    world.look()
    assert world.look() == {}
    assert World().look() == {}


def test_half_a_line_is_read_once_it_is_complete() -> None:
    whole = metrics_lines(range(1, 4))
    world = World(whole[:-10])
    world.look()
    assert world.steps() == [1, 2]
    world.file.body = whole
    world.look()
    assert world.steps() == [1, 2, 3]


@pytest.mark.parametrize("kept", [0, 3, 7, 10])
def test_a_file_that_a_restarted_attempt_rewrote_is_read_from_its_start(kept: int) -> None:
    world = World(metrics_lines(range(1, 12)))
    world.look()
    world.file.body = metrics_lines(range(1, kept + 1))
    world.look()
    again = metrics_lines(range(kept + 1, 23), at=1_795_111_111.0)
    world.file.body += again
    world.look()
    assert world.steps() == list(range(1, 23))
    assert world.job.current_step == 22
    latest = world.records.latest_points(OWNER, world.job.job_id, 1)
    assert latest[0].timestamp.startswith("2026-11-19")


def test_a_file_that_cannot_be_read_is_read_the_next_time() -> None:
    world = World(metrics_lines(range(1, 12)))
    world.file.fails = True
    assert world.look() == {}
    world.file.fails = False
    world.look()
    assert world.steps() == list(range(1, 12))


def test_a_long_file_is_read_in_bounded_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "CHUNK_BYTES", 1000)
    monkeypatch.setattr(watch, "MOST_CHUNKS", 3)
    world = World(metrics_lines(range(1, 34)))
    world.look()
    assert 0 < len(world.steps()) < 33
    assert max(most for _, most in world.file.reads) <= 1001
    for _ in range(5):
        world.look()
    assert world.steps() == list(range(1, 34))


def test_a_line_longer_than_a_chunk_ends_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "CHUNK_BYTES", 1000)
    world = World(metrics_lines(range(1, 3)) + b"x" * 2500 + b"\n" + metrics_lines(range(3, 5)))
    for _ in range(3):
        world.look()
    assert world.steps() == [1, 2]
    assert len(world.file.reads) < 10


def test_until_it_is_delivered_nothing_is_complete() -> None:
    world = World(metrics_lines(range(1, 34)))
    assert world.look()["progress"] == 99.0
