"""A checker of datasets, and everything around it, in memory."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from brightrun.catalog.base_models import BaseModelEntry, default_base_model
from brightrun.datasets.receipts.service import ReceiptWriter
from brightrun.sft.tokenizer import OfflineTokenizer
from brightrun.training.check_dataset import DatasetChecker
from tests.builders import SteppedClock
from tests.fakes.datasets import InMemoryDatasetFiles, InMemoryDatasets
from tests.fakes.external_services import InMemoryObjects
from tests.fakes.tokenizer import CHATML, InMemoryTokenizers, write_tokenizer


class Checking:
    """A checker that knows no tokenizer until one is learned."""

    def __init__(self, datasets: InMemoryDatasets) -> None:
        self.files = InMemoryDatasetFiles()
        self.tokenizers = InMemoryTokenizers()
        receipts = ReceiptWriter(
            datasets=datasets,
            files=self.files,
            splits=InMemoryObjects(),
            tokenizers=self.tokenizers,
            clock=SteppedClock(),
        )
        self.checker = DatasetChecker(self.files, receipts)

    def learn(self, model: BaseModelEntry | None = None, template: str = CHATML) -> None:
        """Put a base model's tokenizer where it is looked for."""
        with TemporaryDirectory() as folder:
            tokenizer = OfflineTokenizer(write_tokenizer(Path(folder), template))
        model = model or default_base_model()
        self.tokenizers.tokenizers[model.object_prefix] = tokenizer
