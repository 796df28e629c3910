"""A batch on a disk that fills up: it waits, and goes on by itself."""

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.errors import UnavailableError
from tests.e2e.conftest import Installation
from tests.local.full_disk import fill, small_disk

pytestmark = pytest.mark.slow

ITEMS = 12
IN_FLIGHT = 2
"""Calls at a time: their answers have nowhere to go when the disk fills up to the last byte."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of fifty megabytes; a new system takes fourteen."""
    with small_disk(tmp_path / "disk", "50m") as folder:
        yield folder


def test_batch_on_a_full_disk_waits_and_goes_on_by_itself(disk: Path) -> None:
    system = Installation(disk / "data")
    try:
        system.start(latency_seconds=1.0)
        job_id = system.create_batch(concurrentProcessing=1, callsPerWorker=IN_FLIGHT)
        path = f"/api/conversations/batch/{job_id}/status"
        while system.client.get(path, {})["progress"]["successful"] == 0:
            time.sleep(0.1)
        ballast = fill(disk)
        time.sleep(3)
        assert system.client.get(path, {})["progress"]["successful"] < ITEMS  # it can be read
        with pytest.raises(UnavailableError, match="is full"):
            system.create_batch()
        ballast.unlink()
        status = system.follow(job_id)
        assert (status.status, status.successful, status.failed) == ("completed", ITEMS, 0)
        assert answered_more_than_once(system) <= IN_FLIGHT
        system.kill()
        system.start()
        assert len(system.items(job_id, status="completed")) == ITEMS
        assert len(system.paid_answers(job_id)) == ITEMS
    finally:
        system.stop()


def test_answers_under_way_find_room_in_the_reserve_and_are_paid_for_once(disk: Path) -> None:
    system = Installation(disk / "data")
    try:
        system.start(latency_seconds=1.0)
        job_id = system.create_batch(concurrentProcessing=1, callsPerWorker=IN_FLIGHT)
        path = f"/api/conversations/batch/{job_id}/status"
        while system.client.get(path, {})["progress"]["processing"] == 0:
            time.sleep(0.1)
        ballast = fill(disk, leave=2_000_000)
        while system.client.get(path, {})["progress"]["successful"] < ITEMS:
            time.sleep(0.2)  # the worker that runs completes what it claimed
        assert system.client.get(path, {})["status"] == "processing"  # its end is new work
        ballast.unlink()
        assert system.follow(job_id).status == "completed"
        assert answered_more_than_once(system) == 0
    finally:
        system.stop()


def answered_more_than_once(system: Installation) -> int:
    with urllib.request.urlopen(f"{system.simulator_url}/_simulator/journal") as answer:
        return int(json.load(answer)["answered_more_than_once"])
