"""Checks a job's dataset with the job's base model and settings, while nothing is billed yet."""

from __future__ import annotations

import json
from dataclasses import dataclass

from brightrun.catalog.base_models import BaseModelEntry
from brightrun.core.errors import TokenizerMissingError, UncountableError
from brightrun.datasets.file_repository import DatasetFiles, require_unchanged
from brightrun.datasets.model import Dataset
from brightrun.datasets.receipts.service import ReceiptRequest, ReceiptWriter, untrainable
from brightrun.sft.settings import DatasetSettings
from brightrun.training.model import CheckedAt, DatasetCheck, TrainingJob
from brightrun.training.sagemaker.request import SEED

PARTS_BEFORE_START = 10
"""How many times as much as in a request the start reads: 100 MB, as it has ten minutes."""

INTERRUPTED = "Not checked: rendering the dataset did not end, although it was tried several times."


@dataclass(frozen=True, slots=True)
class DatasetChecker:
    """Renders a job's dataset with the trainer's own code, where the tokenizer is known.

    Both methods raise ObjectChangedError when the stored file is not the one that was validated,
    UntrainableError when the trainer would refuse it, and StorageError.
    """

    files: DatasetFiles
    receipts: ReceiptWriter

    def at_creation(
        self, job: TrainingJob, dataset: Dataset, model: BaseModelEntry
    ) -> DatasetCheck:
        """Check within one request; of a sample only what no other row can mend is refused."""
        require_unchanged(self.files, dataset.storage_path, dataset.etag)
        return self._render(job, dataset, model, "creation")

    def before_start(
        self, job: TrainingJob, dataset: Dataset, model: BaseModelEntry, *, gives_up: bool
    ) -> DatasetCheck:
        """Check that the file is still the same, and render once what no request has counted whole.

        `gives_up`: rendering has ended this function several times, and is not tried again.
        """
        require_unchanged(self.files, dataset.storage_path, dataset.etag)
        seen = job.dataset_check
        if seen is not None and (seen.method == "exact" or seen.at == "start"):
            return seen
        if gives_up:
            return DatasetCheck(None, "start", INTERRUPTED)
        return self._render(job, dataset, model, "start")

    def _render(
        self, job: TrainingJob, dataset: Dataset, model: BaseModelEntry, at: CheckedAt
    ) -> DatasetCheck:
        parts = PARTS_BEFORE_START if at == "start" else 1
        try:
            receipt = self.receipts.count(dataset, model, _request(job), parts=parts)
        except (TokenizerMissingError, UncountableError) as unknown:
            return DatasetCheck(None, at, f"Not checked: {unknown.message}")
        if receipt.refusal and (receipt.method == "exact" or at == "start"):
            raise untrainable(receipt.refusal, dataset, model)
        counted = f"{receipt.sample.rows} of {receipt.rows}" if receipt.sample else receipt.rows
        return DatasetCheck(
            receipt.method,
            at,
            f"{counted} rows were rendered with the tokenizer and chat template of {model.key}: "
            f"{receipt.trainable_tokens} tokens of {receipt.pairs} pairs are trained or held out.",
        )


def _request(job: TrainingJob) -> ReceiptRequest:
    """The receipt of a job: with its settings, without rows to show."""
    values = job.hyperparameters
    settings = DatasetSettings(
        max_seq_length=values.max_seq_length,
        epochs=values.epochs,
        batch_size=values.batch_size,
        seed=SEED,
        template_variables=json.loads(job.template_variables),
        template_date=job.template_date,
    )
    return ReceiptRequest(settings=settings, rows_shown=0)
