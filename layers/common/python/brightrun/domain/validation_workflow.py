"""What the state machine of a validation and its function tell each other."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

_EVENT = ConfigDict(
    alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, frozen=True
)

ValidationStatus = Literal["ready", "error", "superseded"]


class ValidationRun(BaseModel):
    """Which run of which dataset; `failed` asks to record that every try of it came to nothing."""

    model_config = _EVENT

    owner_id: str
    dataset_id: str
    run: Annotated[int, Field(ge=1)]
    failed: bool = False

    def ended(self, status: ValidationStatus) -> ValidationEnd:
        """How the run came out."""
        return ValidationEnd(
            owner_id=self.owner_id, dataset_id=self.dataset_id, run=self.run, status=status
        )


class ValidationEnd(BaseModel):
    """How a run came out; `superseded` when somebody else had settled or deleted the dataset."""

    model_config = _EVENT

    owner_id: str
    dataset_id: str
    run: int
    status: ValidationStatus
