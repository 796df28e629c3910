"""How datasets are asked for and shown, with the original's fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints

from brightrun.core.pages import Page
from brightrun.datasets.create_dataset import DatasetRequest
from brightrun.datasets.model import MOST_BYTES, Dataset, DatasetSource, DatasetStatus, Upload
from brightrun.formats.format import api_names
from brightrun.http.schemas import ONE_LINE, NestedModel, RequestModel, ResponseModel
from brightrun.training_files.model import MOST_VERSIONS

if TYPE_CHECKING:
    DatasetFormat = str
else:
    DatasetFormat = Literal["auto", *api_names()]

DatasetName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=ONE_LINE),
]


class NewDataset(RequestModel):
    """POST /api/datasets.

    `format` is what the caller expects; the validation says what the file is, and any format that
    it knows will do. Without `multipart` a file above 64 MiB comes in parts.
    """

    name: DatasetName
    description: Annotated[str, Field(max_length=2000)] = ""
    format: DatasetFormat = "brightrun_lora_v4"
    file_name: Annotated[str, Field(min_length=1, max_length=255)]
    file_size: Annotated[
        int, Field(strict=True, ge=1, le=MOST_BYTES, description="The file's size in bytes.")
    ]
    multipart: Annotated[bool, Field(strict=True)] | None = None

    def order(self) -> DatasetRequest:
        """What the service is asked for."""
        return DatasetRequest(
            name=self.name,
            description=self.description,
            format=self.format,
            file_name=self.file_name,
            file_size=self.file_size,
            in_parts=self.multipart,
        )


class TrainingFileImport(RequestModel):
    """POST /api/datasets/import-from-training-file; the newest version where none is named."""

    training_file_id: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,100}$", max_length=100)]
    version: Annotated[int, Field(strict=True, ge=1, le=MOST_VERSIONS)] | None = None


class DatasetSummary(NestedModel):
    """A dataset as the list shows it; sizes are in bytes, problems the first ten of each kind."""

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
    """A dataset with the first objects of its file, long texts cut."""

    sample_data: list[dict[str, Any]]


class PartLinkView(NestedModel):
    """Where one part is sent by PUT."""

    part_number: int
    url: str


class UploadView(NestedModel):
    """How what is missing of a file is sent.

    `put`: the whole file to `url`, with the headers. `multipart`: `part_size` bytes to the link of
    each part that is listed, the rest to the last one; `uploaded` are the parts that are there.
    """

    method: Literal["put", "multipart"]
    url: str | None
    headers: dict[str, str]
    part_size: int | None
    parts: list[PartLinkView]
    uploaded: list[int]
    expires_in_seconds: int


class DatasetResponse(ResponseModel):
    """One dataset."""

    data: DatasetView

    @classmethod
    def from_domain(cls, dataset: Dataset) -> Self:
        """Show a dataset."""
        return cls(data=DatasetView.model_validate(dataset))


class ImportedDataset(DatasetResponse):
    """A dataset made of a training file."""

    message: str

    @classmethod
    def from_domain(cls, dataset: Dataset) -> Self:
        """Show a dataset that is being validated."""
        return cls(
            data=DatasetView.model_validate(dataset),
            message=f"The dataset is a copy of version {dataset.training_file_version}; it can be "
            "trained on as soon as its validation has found it ready.",
        )


class CreatedDatasetData(NestedModel):
    """A new dataset and how its file is sent; `uploadUrl` is None for an upload in parts."""

    model_config = ConfigDict(serialize_by_alias=True)

    dataset: DatasetView
    upload_url: str | None = Field(alias="uploadUrl")
    storage_path: str = Field(alias="storagePath")
    upload: UploadView


class CreatedDataset(ResponseModel):
    """POST /api/datasets."""

    data: CreatedDatasetData

    @classmethod
    def from_domain(cls, dataset: Dataset, upload: Upload) -> Self:
        """Show a new dataset."""
        data = CreatedDatasetData(
            dataset=DatasetView.model_validate(dataset),
            uploadUrl=upload.url,
            storagePath=dataset.storage_path,
            upload=UploadView.model_validate(upload),
        )
        return cls(data=data)


class UploadResponse(ResponseModel):
    """GET /api/datasets/{id}/upload."""

    data: UploadView


class DatasetListData(NestedModel):
    """A page of datasets."""

    datasets: list[DatasetSummary]
    count: int


class DatasetList(ResponseModel):
    """GET /api/datasets; a filtered page may be short and still have a next one."""

    data: DatasetListData
    next_cursor: str | None

    @classmethod
    def from_domain(cls, page: Page[Dataset]) -> Self:
        """Show a page."""
        shown = [DatasetSummary.model_validate(one) for one in page.records]
        data = DatasetListData(datasets=shown, count=len(shown))
        return cls(data=data, next_cursor=page.next_cursor)


class DeletedData(NestedModel):
    """What is gone."""

    id: str


class DeletedDataset(ResponseModel):
    """DELETE /api/datasets/{id}."""

    data: DeletedData


class ReportLinkView(NestedModel):
    """A short-lived link to the full report of a validation."""

    download_url: str
    filename: str
    expires_at: str
    expires_in_seconds: int


class ReportResponse(ResponseModel):
    """GET /api/datasets/{id}/report."""

    data: ReportLinkView
