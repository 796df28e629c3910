"""The seam of receipts: base models' tokenizers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from brightrun.sft.tokenizer import OfflineTokenizer


class Tokenizers(Protocol):
    """The tokenizers of the base models that an operator has put in place."""

    def tokenizer(self, prefix: str) -> OfflineTokenizer | None:
        """Read the tokenizer whose files lie under a prefix; None when they are not there.

        Raises StorageError, and ModelError for files that cannot be used.
        """
