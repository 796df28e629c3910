"""Writes receipts: what a base model will see of a dataset, within the time of one request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from brightrun.aws.objects import ObjectStore
from brightrun.catalog.base_models import BaseModelEntry, base_model, default_base_model
from brightrun.core.errors import (
    DatasetNotReadyError,
    TokenizerMissingError,
    UncountableError,
    UntrainableError,
)
from brightrun.datasets.file_repository import DatasetFiles
from brightrun.datasets.model import Dataset
from brightrun.datasets.receipts.repository import Tokenizers
from brightrun.datasets.repository import DatasetRepository
from brightrun.sft.errors import DatasetError, ModelError, SampleError
from brightrun.sft.settings import DatasetSettings

if TYPE_CHECKING:
    # Imported by the methods that count: estimates come from the same function and need none of it.
    from brightrun.sft.receipt import Receipt
    from brightrun.sft.splits import Split
    from brightrun.sft.tokenizer import OfflineTokenizer

MOST_BYTES = 10_000_000
MOST_CHARACTERS = 10_000_000
"""Larger datasets are sampled. The product's pairs take half a second per million characters on one
x86-64 core (measured with a byte-level BPE of 32,000 tokens); a vCPU of Lambda may take twice that,
and a request has 29 seconds."""


@dataclass(frozen=True)
class ReceiptRequest:
    """A request for a receipt; `base_model` None means the catalog's default."""

    base_model: str | None = None
    settings: DatasetSettings = field(default_factory=DatasetSettings)
    rows_shown: int = 5


@dataclass(frozen=True, slots=True)
class ReceiptWriter:
    """Counts datasets with the trainer's own code."""

    datasets: DatasetRepository
    files: DatasetFiles
    splits: ObjectStore
    tokenizers: Tokenizers

    def write(
        self, owner_id: str, dataset_id: str, request: ReceiptRequest
    ) -> tuple[BaseModelEntry, Receipt]:
        """Count a dataset for a base model.

        Raises NotFoundError, DatasetNotReadyError, UnknownBaseModelError, and what `count` raises.
        """
        dataset = self.datasets.dataset(owner_id, dataset_id)
        if dataset.status != "ready":
            raise DatasetNotReadyError(
                f"The dataset '{dataset.name}' is {dataset.status}; a receipt requires one "
                f"whose validation found it ready. {dataset.error_message or ''}".rstrip(),
                details={"status": dataset.status, "error_message": dataset.error_message},
            )
        model = base_model(request.base_model) if request.base_model else default_base_model()
        return model, self.count(dataset, model, request)

    def count(
        self, dataset: Dataset, model: BaseModelEntry, request: ReceiptRequest, *, parts: int = 1
    ) -> Receipt:
        """Count a dataset that is ready; `parts` times as much of it as one request has time for.

        Raises TokenizerMissingError, UntrainableError, UncountableError, ObjectChangedError,
        StorageError.
        """
        try:
            return self._count(dataset, self._tokenizer(model), request, parts)
        except SampleError as error:
            raise UncountableError(f"The dataset cannot be counted here: {error}") from error
        except (DatasetError, ModelError) as error:
            raise untrainable(str(error), dataset, model) from error

    def _tokenizer(self, model: BaseModelEntry) -> OfflineTokenizer:
        from brightrun.sft.tokenizer import TOKENIZER_FILES

        tokenizer = self.tokenizers.tokenizer(model.object_prefix)
        if tokenizer is None:
            raise TokenizerMissingError(
                f"The tokenizer of {model.key} is not in the bucket of base models. An operator "
                f"must upload it: {', '.join(TOKENIZER_FILES)} of {model.hub_id} at revision "
                f"{model.revision}, under {model.object_prefix}",
                details={
                    "base_model": model.key,
                    "prefix": model.object_prefix,
                    "files": list(TOKENIZER_FILES),
                },
            )
        return tokenizer

    def _count(
        self, dataset: Dataset, tokenizer: OfflineTokenizer, request: ReceiptRequest, parts: int
    ) -> Receipt:
        from brightrun.sft.make_receipt import SampleLimits, make_receipt

        return make_receipt(
            self.files.open(dataset.storage_path, str(dataset.etag)),
            tokenizer,
            request.settings,
            name=dataset.file_name,
            split=self._split(dataset),
            rows_shown=request.rows_shown,
            limits=SampleLimits(dataset.file_size, parts * MOST_BYTES, parts * MOST_CHARACTERS),
        )

    def _split(self, dataset: Dataset) -> Split | None:
        """The split that training jobs use, if validation stored one."""
        from brightrun.sft.splits import read_split

        stored = self.splits.get(dataset.split_key) if dataset.split_key else None
        return read_split(stored.text) if stored else None


def untrainable(reason: str, dataset: Dataset, model: BaseModelEntry) -> UntrainableError:
    """The error of a dataset that the trainer would refuse with this base model."""
    return UntrainableError(
        f"The trainer would refuse this dataset: {reason}",
        details={"dataset_id": dataset.dataset_id, "base_model": model.key},
    )
