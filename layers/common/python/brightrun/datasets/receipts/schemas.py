"""Requests and responses of the receipt route."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field

from brightrun.datasets.receipts.service import ReceiptRequest
from brightrun.http.schemas import NestedModel, RequestModel, ResponseModel
from brightrun.sft.settings import (
    RESERVED_VARIABLES,
    TEMPLATE_DATE,
    DatasetSettings,
    date_complaint,
    variables_complaint,
)

if TYPE_CHECKING:
    from brightrun.catalog.base_models import BaseModelEntry
    from brightrun.sft.receipt import Receipt


LONGEST_SEQUENCE = 131_072
"""The longest context of the registry's base models, in tokens."""


def _require_variables(variables: dict[str, Any]) -> dict[str, Any]:
    if complaint := variables_complaint(variables):
        raise ValueError(complaint)
    return variables


def _require_date(day: str) -> str:
    if complaint := date_complaint(day):
        raise ValueError(complaint)
    return day


TemplateVariables = Annotated[
    dict[str, Any],
    AfterValidator(_require_variables),
    Field(
        description="Passed to the base model's chat template, such as enable_thinking: at most "
        "2,000 characters as JSON. Names that templates use otherwise, such as messages, are "
        "refused.",
        json_schema_extra={
            "maxProperties": 50,
            "propertyNames": {
                "pattern": "^[A-Za-z][A-Za-z0-9_]{0,63}$",
                "not": {"enum": sorted(RESERVED_VARIABLES)},
            },
        },
    ),
]
TemplateDate = Annotated[
    str,
    AfterValidator(_require_date),
    Field(
        description="The day that chat templates take for today, so that it is the same on every "
        "day. Unless it is given, it is a constant that only some templates write at all.",
        json_schema_extra={"format": "date", "maxLength": 10},
    ),
]


class ReceiptBody(RequestModel):
    """POST /api/datasets/{id}/receipt; the defaults are those of training jobs."""

    base_model: Annotated[
        str | None, Field(min_length=1, max_length=200, description="Its key or its hub id.")
    ] = None
    max_seq_length: Annotated[int, Field(strict=True, ge=32, le=LONGEST_SEQUENCE)] = 4096
    epochs: Annotated[int, Field(strict=True, ge=1, le=20)] = 3
    batch_size: Annotated[int, Field(strict=True, ge=1, le=64)] = 16
    template_variables: TemplateVariables = {}
    template_date: TemplateDate = TEMPLATE_DATE
    rows_shown: Annotated[
        int, Field(strict=True, ge=0, le=20, description="How many of the first rows to show.")
    ] = 5

    def to_request(self) -> ReceiptRequest:
        """The request to the service."""
        settings = DatasetSettings(
            max_seq_length=self.max_seq_length,
            epochs=self.epochs,
            batch_size=self.batch_size,
            template_variables=self.template_variables,
            template_date=self.template_date,
        )
        return ReceiptRequest(self.base_model, settings, self.rows_shown)


class SampleView(NestedModel):
    """The sample that was counted; all counts but `rows` are multiplied by `factor`."""

    rows: int
    of_rows: int
    bytes: int
    of_bytes: int
    factor: float


class DroppedView(NestedModel):
    """Answers that are not trained on, by reason."""

    without_target: int
    weight_zero: int
    cut_off: int
    too_long: int
    refused_by_template: int


class TemplateRefusalView(NestedModel):
    """Answers that the chat template cannot teach, for one reason, with the first 20 lines."""

    code: Literal[
        "template_error",
        "context_dropped",
        "answer_changed",
        "reasoning_dropped",
        "no_stop_token",
        "unknown_characters",
    ]
    message: str
    pairs: int
    sources: list[str]


class ReceiptTemplateView(NestedModel):
    """The chat template that is applied; `opening` is its first 200 characters."""

    name: str
    file: str
    sha256: str
    opening: str


class TokenInContentView(NestedModel):
    """A special token in the text of messages, which the tokenizer reads as special."""

    token: str
    rows: int
    lines: list[int]


class SegmentView(NestedModel):
    """A piece of text; `omitted` characters of its middle are left out."""

    text: str
    trained: bool
    omitted: int


class ShownRowView(NestedModel):
    """A sequence as the model sees it; a row whose answers share no context has several."""

    line: int
    conversation_id: str
    side: Literal["train", "validation"]
    fits: bool
    tokens: int
    trained_tokens: int
    turns_dropped: int
    segments: list[SegmentView]


class ReceiptView(NestedModel):
    """What the model will see; counts are of tokens, rows, pairs, and optimizer steps.

    `total_tokens` are those of all pairs, each with its whole context; those per epoch are counted
    after the pairs of a conversation were merged. `refused` rows have an error, counted by
    its code as the validation does. `refusal` is the reason why a training job would fail on it.
    """

    dataset_id: str
    base_model: str
    base_model_revision: str
    method: Literal["exact", "sampled"]
    sample: SampleView | None
    refusal: str | None
    rows: int
    refused: int
    refused_codes: dict[str, int]
    refused_lines: list[int]
    pairs: int
    total_tokens: int
    trainable_tokens: int
    masked_tokens: int
    truncated_tokens: int
    rows_without_trainable_tokens: int
    rows_without_trainable_tokens_lines: list[int]
    dropped: DroppedView
    template_refusals: list[TemplateRefusalView]
    pairs_that_lost_turns: int
    turns_dropped: int
    system_folded_into_user: bool
    train_pairs: int
    validation_pairs: int
    sequences: int
    longest_sequence: int
    tokens_per_epoch_unmerged: int
    merge_factor: float
    tokens_per_epoch: int
    target_tokens_per_epoch: int
    masked_tokens_per_epoch: int
    validation_tokens: int
    epochs: int
    steps: int
    total_training_tokens: int
    template: ReceiptTemplateView
    special_tokens_in_content: list[TokenInContentView]
    shown: list[ShownRowView]
    settings: dict[str, Any]


class ReceiptResponse(ResponseModel):
    """One receipt."""

    data: ReceiptView

    @classmethod
    def from_domain(cls, dataset_id: str, model: BaseModelEntry, receipt: Receipt) -> Self:
        """The response for a receipt."""
        counts = {name: getattr(receipt, name) for name in receipt.__struct_fields__}
        about = {
            "dataset_id": dataset_id,
            "base_model": model.key,
            "base_model_revision": model.revision,
        }
        return cls(data=ReceiptView.model_validate(about | counts))
