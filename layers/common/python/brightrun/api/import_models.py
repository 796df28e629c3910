"""How files of the original are taken in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from pydantic import Field

from brightrun.api.conversation_models import ConversationView
from brightrun.api.shapes import Answer, Part, RequestModel
from brightrun.services.import_conversations import Imported


class ImportedDocument(RequestModel):
    """POST /api/conversations."""

    document: dict[str, Any] = Field(
        max_length=50,
        description="A raw conversation, an enriched file or a training.json; up to 5 MB.",
    )


class ImportedView(Part):
    """One conversation of the document: stored with its warnings, or refused with an error."""

    place: str
    conversation: ConversationView | None
    warnings: list[str]
    error: str | None


class ImportAnswer(Answer):
    """What became of every conversation of the document, in its order."""

    imported: int
    refused: int
    results: list[ImportedView]

    @classmethod
    def of(cls, results: Sequence[Imported]) -> Self:
        """Show an import."""
        shown = [
            ImportedView(
                place=one.place,
                conversation=ConversationView.model_validate(one.record) if one.record else None,
                warnings=one.warnings,
                error=one.error,
            )
            for one in results
        ]
        imported = sum(one.record is not None for one in results)
        return cls(imported=imported, refused=len(results) - imported, results=shown)
