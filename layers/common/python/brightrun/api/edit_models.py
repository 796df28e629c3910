"""How an edit of a turn is asked for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from brightrun.api.review_models import Reason
from brightrun.api.shapes import RequestModel
from brightrun.domain.turn_edit import LONGEST_TURN
from brightrun.services.edit_conversation import TurnEdit


class TurnChange(RequestModel):
    """PATCH /api/conversations/{id}: what a turn shall say, and why."""

    turn_number: Annotated[int, Field(ge=1, le=1000)]
    content: Annotated[str, Field(min_length=1, max_length=LONGEST_TURN)]
    reason: Annotated[Reason, Field(max_length=500)]

    def edit(self) -> TurnEdit:
        """The edit as the service has it."""
        return TurnEdit(self.turn_number, self.content, self.reason)
