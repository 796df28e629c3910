"""How delivered models are shown, and how links to their files are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field

from brightrun.http.schemas import NestedModel, RequestModel, ResponseModel
from brightrun.training.adapters.model import ModelArtifact

if TYPE_CHECKING:
    from brightrun.core.pages import Page
    from brightrun.training.adapters.service import ModelLinks


FileName = Annotated[str, Field(min_length=1, max_length=255)]


class AdapterRequest(RequestModel):
    """POST /api/models/{id}/download; all files where none are named."""

    files: Annotated[list[FileName] | None, Field(min_length=1, max_length=100)] = None


class AdapterFile(NestedModel):
    """A file of a model: its size in bytes and its SHA-256 in hexadecimal."""

    name: str
    size: int
    sha256: str


class AdapterView(NestedModel):
    """A delivered adapter; `quality_score` is 1-5, None where nothing was measured."""

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
    quality_score: float | None
    quality_metrics: dict[str, Any]
    training_summary: dict[str, Any]
    configuration: dict[str, Any]
    compatibility: dict[str, Any]
    files: list[AdapterFile]
    total_size: int

    @classmethod
    def from_domain(cls, model: ModelArtifact) -> Self:
        """Show a model."""
        fields = {name: getattr(model, name) for name in ModelArtifact.__dataclass_fields__}
        files = [AdapterFile.model_validate(one) for one in model.files]
        more = {
            "files": files,
            "total_size": sum(one.size for one in model.files),
            "quality_score": model.quality_metrics.get("overall_score"),
        }
        return cls.model_validate({**fields, **more})


class AdapterResponse(ResponseModel):
    """GET /api/models/{id}."""

    data: AdapterView

    @classmethod
    def from_domain(cls, model: ModelArtifact) -> Self:
        """Show a model."""
        return cls(data=AdapterView.from_domain(model))


class AdapterPage(NestedModel):
    """Some delivered models."""

    models: list[AdapterView]
    count: int


class AdapterList(ResponseModel):
    """GET /api/models; newest first."""

    data: AdapterPage
    next_cursor: str | None

    @classmethod
    def from_domain(cls, page: Page[ModelArtifact]) -> Self:
        """Show a page."""
        shown = [AdapterView.from_domain(model) for model in page.records]
        return cls(data=AdapterPage(models=shown, count=len(shown)), next_cursor=page.next_cursor)


class AdapterLinks(NestedModel):
    """Links to files by their names, and until when they work."""

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
        """Show the links; an object's key is nobody's business."""
        files = [AdapterFile.model_validate(one) for one in links.files]
        return cls(
            data=AdapterLinks(
                model_id=links.model_id,
                model_name=links.model_name,
                download_urls=links.download_urls,
                files=files,
                expires_at=links.expires_at,
                expires_in_seconds=links.expires_in_seconds,
            )
        )
