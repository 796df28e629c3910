"""Requests and responses of the model routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field

from brightrun.http.schemas import (
    NestedModel,
    PageCount,
    RequestModel,
    ResponseModel,
)
from brightrun.sft.verdict import Outcome, Quality, Unmeasured
from brightrun.training.adapters.model import ModelArtifact

if TYPE_CHECKING:
    from brightrun.core.pages import Page
    from brightrun.training.adapters.service import ModelLinks


FileName = Annotated[str, Field(min_length=1, max_length=255)]


class AdapterRequest(RequestModel):
    """POST /api/models/{id}/download; all files if none are named."""

    files: Annotated[list[FileName] | None, Field(min_length=1, max_length=100)] = None


class AdapterFile(NestedModel):
    """A file of a model: its size in bytes and its SHA-256 in hexadecimal."""

    name: str
    size: int
    sha256: str


class AdapterVerdictView(NestedModel):
    """Whether an adapter is better than its base model on held-out rows.

    `score` is 1-5, at most 2 for one that is worse, null where nothing was held out; `headline`
    says it in a sentence, `basis` what the score is made of.
    """

    outcome: Outcome
    quality: Quality
    score: int | None
    headline: str
    basis: str


class HeldOutView(NestedModel):
    """Losses on the held-out rows in nats per answer token, null for what was not measured.

    `difference` is the adapter's less the base's, so that negative is better; its 95 % interval
    goes from `difference_low` to `difference_high`.
    """

    pairs: int
    conversations: int
    tokens: int
    base_loss: float | None
    adapter_loss: float | None
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    unmeasured: Unmeasured | None
    method: str


class AdapterView(NestedModel):
    """A delivered adapter; `quality_score` is the verdict's, null if it was not measured."""

    model_config = ConfigDict(validate_by_alias=True, validate_by_name=True)

    id: str = Field(validation_alias="model_id")
    user_id: str = Field(validation_alias="owner_id")
    job_id: str
    dataset_id: str
    name: str
    version: str
    description: str
    status: Literal["stored"]
    base_model: str
    created_at: str
    verdict: AdapterVerdictView
    held_out: HeldOutView
    quality_score: float | None
    quality_metrics: dict[str, Any]
    training_summary: dict[str, Any]
    configuration: dict[str, Any]
    compatibility: dict[str, Any]
    files: list[AdapterFile]
    total_size: int


class AdapterResponse(ResponseModel):
    """GET /api/models/{id}."""

    data: AdapterView

    @classmethod
    def from_domain(cls, model: ModelArtifact) -> Self:
        """The response for a model."""
        return cls(data=AdapterView.model_validate(model))


class AdapterPage(NestedModel):
    """A page of delivered models."""

    models: list[AdapterView]
    count: PageCount


class AdapterList(ResponseModel):
    """GET /api/models; newest first."""

    data: AdapterPage
    next_cursor: str | None

    @classmethod
    def from_domain(cls, page: Page[ModelArtifact]) -> Self:
        """The response for a page."""
        data = {"models": page.records, "count": len(page.records)}
        return cls.model_validate({"data": data, "next_cursor": page.next_cursor})


class AdapterLinks(NestedModel):
    """Links to files by their names, and when the links expire."""

    model_id: str
    model_name: str
    download_urls: dict[str, str]
    files: list[AdapterFile]
    expires_at: str
    expires_in_seconds: int


class AdapterLinksResponse(ResponseModel):
    """POST /api/models/{id}/download."""

    data: AdapterLinks

    @classmethod
    def from_domain(cls, links: ModelLinks) -> Self:
        """The response for links; objects' keys are left out."""
        return cls(data=AdapterLinks.model_validate(links))
