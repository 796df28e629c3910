"""The services of datasets over everything in memory."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from brightrun.datasets.create_dataset import (
    DatasetConfirmer,
    DatasetCreator,
    DatasetImporter,
    DatasetRequest,
    UploadPlanner,
)
from brightrun.datasets.model import Dataset
from brightrun.datasets.service import DatasetDeleter
from brightrun.datasets.validate_dataset import DatasetValidator, ValidationRun
from tests.builders import OWNER, SteppedClock
from tests.fakes.datasets import InMemoryDatasetFiles, InMemoryDatasets, RecordedValidation
from tests.fakes.external_services import InMemoryObjects
from tests.fakes.training_files import InMemoryTrainingFiles

ROWS = b"\n".join(
    json.dumps(
        {
            "conversation_id": f"c{number}",
            "turns": [
                {"role": "user", "content": f"Question {number}?"},
                {"role": "assistant", "content": f"Answer {number}."},
            ],
        }
    ).encode()
    for number in range(4)
)


@dataclass
class Datasets:
    """What every service needs, and the services."""

    clock: SteppedClock = field(default_factory=SteppedClock)
    training_files: InMemoryTrainingFiles = field(default_factory=InMemoryTrainingFiles)
    files: InMemoryDatasetFiles = field(default_factory=InMemoryDatasetFiles)
    reports: InMemoryObjects = field(default_factory=InMemoryObjects)
    workflow: RecordedValidation = field(default_factory=RecordedValidation)

    def __post_init__(self) -> None:
        self.rows = InMemoryDatasets(training_files=self.training_files)
        self.planner = UploadPlanner(self.rows, self.files)
        self.creator = DatasetCreator(self.rows, self.planner, self.clock, "datasets")
        self.confirmer = DatasetConfirmer(
            self.rows,
            self.files,
            self.training_files,
            "training-files",
            self.workflow,
            self.clock,
        )
        self.importer = DatasetImporter(
            self.rows, self.training_files, self.confirmer, self.clock, "datasets"
        )
        self.deleter = DatasetDeleter(self.rows, self.files, self.clock)
        self.validator = DatasetValidator(self.rows, self.files, self.reports, self.clock)

    def created(self, size: int = len(ROWS), **changes: Any) -> Dataset:
        fields = {"name": "First", "description": "", "format": "auto", "file_name": "rows.jsonl"}
        order = DatasetRequest(**{**fields, "file_size": size, **changes})
        return self.creator.create(OWNER, order)[0]

    def confirmed(self, body: bytes = ROWS) -> Dataset:
        dataset = self.created(len(body))
        self.files.objects[dataset.storage_path] = body
        return self.confirmer.confirm(OWNER, dataset.dataset_id)

    def validate(self, dataset: Dataset, *, failed: bool = False) -> str:
        run = ValidationRun(
            owner_id=OWNER,
            dataset_id=dataset.dataset_id,
            run=dataset.validation_run,
            failed=failed,
        )
        return self.validator.validate(run).status

    def now(self, dataset: Dataset) -> Dataset:
        return self.rows.dataset(OWNER, dataset.dataset_id)
