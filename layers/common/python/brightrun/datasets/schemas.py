"""Requests and responses of the dataset routes, with v1's fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints

from brightrun.core.fields import ONE_LINE
from brightrun.core.limits import MOST_DATASET_BYTES, MOST_VERSIONS
from brightrun.core.pages import Page
from brightrun.datasets.create_dataset import DatasetRequest
from brightrun.datasets.model import Dataset, DatasetSource, DatasetStatus, Upload
from brightrun.datasets.service import ReportLink
from brightrun.formats import api_names
from brightrun.http.schemas import (
    Description,
    NestedModel,
    PageCount,
    RequestModel,
    ResponseModel,
)

if TYPE_CHECKING:
    DatasetFormat = str
else:
    DatasetFormat = Literal["auto", *api_names()]

DatasetName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), ONE_LINE
]


class NewDataset(RequestModel):
    """POST /api/datasets.

    `format` is what the caller expects; validation detects the format and accepts any that it
    knows. Without `multipart`, a file above 64 MiB is uploaded in parts.
    """

    name: DatasetName
    description: Description = ""
    format: DatasetFormat = "brightrun_lora_v4"
    file_name: Annotated[str, Field(min_length=1, max_length=255)]
    file_size: Annotated[
        int,
        Field(strict=True, ge=1, le=MOST_DATASET_BYTES, description="The file's size in bytes."),
    ]
    multipart: Annotated[bool, Field(strict=True)] | None = None

    def to_request(self) -> DatasetRequest:
        """The request to the service."""
        return DatasetRequest(
            name=self.name,
            description=self.description,
            format=self.format,
            file_name=self.file_name,
            file_size=self.file_size,
            in_parts=self.multipart,
        )


class TrainingFileImport(RequestModel):
    """POST /api/datasets/import-from-training-file; the newest version if none is named."""

    training_file_id: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,100}$", max_length=100)]
    version: Annotated[int, Field(strict=True, ge=1, le=MOST_VERSIONS)] | None = None


class DatasetSummary(NestedModel):
    """A dataset in a list; sizes in bytes, and the first ten problems of each kind."""

    model_config = ConfigDict(validate_by_alias=True, validate_by_name=True)

    id: str = Field(validation_alias="dataset_id")
    user_id: str = Field(validation_alias="owner_id")
    name: str
    description: str
    format: str
    status: DatasetStatus
    source: DatasetSource
    training_ready: bool
    storage_bucket: str
    storage_path: str
    file_name: str
    file_size: int
    training_file_id: str | None
    training_file_version: int | None
    simulated: bool
    sha256: str | None
    total_training_pairs: int | None
    trainable_pairs: int | None
    total_validation_pairs: int | None
    total_tokens: int | None
    tokens_method: str | None
    avg_turns_per_conversation: float | None
    avg_tokens_per_turn: float | None
    statistics: dict[str, Any]
    validation_errors: list[dict[str, Any]]
    validation_warnings: list[dict[str, Any]]
    validation_run: int
    error_message: str | None
    active_jobs: int
    version: int
    created_at: str
    updated_at: str
    validated_at: str | None


class DatasetView(DatasetSummary):
    """A dataset with the first objects of its file, long texts shortened."""

    sample_data: list[dict[str, Any]]


class DatasetResponse(ResponseModel):
    """One dataset."""

    data: DatasetView

    @classmethod
    def from_domain(cls, dataset: Dataset) -> Self:
        """The response for a dataset."""
        return cls(data=DatasetView.model_validate(dataset))


class ImportedDataset(DatasetResponse):
    """A dataset made from a training file."""

    message: str

    @classmethod
    def from_domain(cls, dataset: Dataset) -> Self:
        """The response for a dataset that is being validated."""
        return cls(
            data=DatasetView.model_validate(dataset),
            message=f"The dataset is a copy of version {dataset.training_file_version}; it can be "
            "trained on as soon as its validation has found it ready.",
        )


class CreatedDatasetData(NestedModel):
    """A new dataset and its upload; `uploadUrl` is null for an upload in parts."""

    model_config = ConfigDict(serialize_by_alias=True)

    dataset: DatasetView
    upload_url: str | None = Field(alias="uploadUrl")
    storage_path: str = Field(alias="storagePath")
    upload: Upload


class CreatedDataset(ResponseModel):
    """POST /api/datasets."""

    data: CreatedDatasetData

    @classmethod
    def from_domain(cls, dataset: Dataset, upload: Upload) -> Self:
        """The response for a new dataset."""
        data = CreatedDatasetData(
            dataset=DatasetView.model_validate(dataset),
            uploadUrl=upload.url,
            storagePath=dataset.storage_path,
            upload=upload,
        )
        return cls(data=data)


class UploadResponse(ResponseModel):
    """GET /api/datasets/{id}/upload."""

    data: Upload


class DatasetListData(NestedModel):
    """A page of datasets."""

    datasets: list[DatasetSummary]
    count: PageCount


class DatasetList(ResponseModel):
    """GET /api/datasets; a filtered page may be short and still have a next one."""

    data: DatasetListData
    next_cursor: str | None

    @classmethod
    def from_domain(cls, page: Page[Dataset]) -> Self:
        """The response for a page."""
        data = {"datasets": page.records, "count": len(page.records)}
        return cls.model_validate({"data": data, "next_cursor": page.next_cursor})


class DeletedData(NestedModel):
    """What was deleted."""

    id: str


class DeletedDataset(ResponseModel):
    """DELETE /api/datasets/{id}."""

    data: DeletedData


class ReportResponse(ResponseModel):
    """GET /api/datasets/{id}/report."""

    data: ReportLink
