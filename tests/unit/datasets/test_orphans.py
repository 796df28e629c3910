"""The sweep of datasets: what was uploaded after a deletion goes, the files of the others stay."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from brightrun.datasets.orphans import dataset_orphans
from tests.builders import OWNER, START
from tests.fakes.datasets import InMemoryDatasets, a_dataset
from tests.fakes.external_services import InMemoryObjects
from tests.fakes.training_files import InMemoryTrainingFiles

ALIVE, LATE = f"{OWNER}/dataset-1/rows.jsonl", f"{OWNER}/deleted/rows.jsonl"


@pytest.mark.parametrize(
    ("deleted_at", "hours", "left"),
    [
        (None, 23, {ALIVE, LATE}),
        (None, 25, {ALIVE}),
        ("2026-11-21T12:00:00.000Z", 25, set()),
    ],
)
def test_a_file_without_its_dataset_goes_after_a_day(
    deleted_at: str | None, hours: int, left: set[str]
) -> None:
    rows, files = InMemoryDatasets(training_files=InMemoryTrainingFiles()), InMemoryObjects()
    rows.add(dataclasses.replace(a_dataset(), deleted_at=deleted_at))
    for key in (ALIVE, LATE):
        files.put(key, "{}", content_type="application/x-ndjson")
    dataset_orphans(rows, files).sweep(START + timedelta(hours=hours), lambda: False)
    assert set(files.objects) == left
