"""The dataset routes: create, import, confirm, show and delete."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.datasets.create_dataset import (
    DatasetConfirmer,
    DatasetCreator,
    DatasetImporter,
    UploadPlanner,
)
from brightrun.datasets.model import DatasetStatus
from brightrun.datasets.schemas import (
    CreatedDataset,
    DatasetList,
    DatasetResponse,
    DeletedData,
    DeletedDataset,
    ImportedDataset,
    NewDataset,
    ReportResponse,
    TrainingFileImport,
    UploadResponse,
)
from brightrun.datasets.service import DatasetDeleter, DatasetReader
from brightrun.http.app import owner_of, service
from brightrun.http.schemas import Cursor, Limit, RecordId

router = APIGatewayHttpRouter()
DATASETS = "/api/datasets"
TAGS = ["Datasets"]
Search = Annotated[
    str | None,
    Query(min_length=1, max_length=200, description="Part of the name, in any case."),
]
Status = Annotated[DatasetStatus | None, Query(description="Only datasets of this status.")]


@router.post(DATASETS, status_code=201, tags=TAGS)
def create_dataset(body: NewDataset) -> CreatedDataset:
    """Create a dataset that waits for its file, and return the links to upload it.

    The links are signed for the declared size; a file of any other size is refused. The file's name
    is made safe, and the response contains the result.
    """
    dataset, upload = service(router, DatasetCreator).create(owner_of(router), body.to_request())
    return CreatedDataset.from_domain(dataset, upload)


@router.get(DATASETS, tags=TAGS)
def list_datasets(
    status: Status = None, search: Search = None, limit: Limit = 25, cursor: Cursor = None
) -> DatasetList:
    """List the caller's datasets, newest first, without their samples."""
    page = service(router, DatasetReader).page(
        owner_of(router), status=status, search=search, limit=limit, cursor=cursor
    )
    return DatasetList.from_domain(page)


@router.post(f"{DATASETS}/import-from-training-file", status_code=201, tags=TAGS)
def import_training_file(body: TrainingFileImport) -> ImportedDataset:
    """Create a dataset from a version of a training file, and start its validation.

    It is a copy: later changes of the training file do not affect it. If the version was imported
    before, the response is a conflict whose `details` name the dataset.
    """
    dataset = service(router, DatasetImporter).import_version(
        owner_of(router), body.training_file_id, body.version
    )
    return ImportedDataset.from_domain(dataset)


@router.get(f"{DATASETS}/<dataset_id>", tags=TAGS)
def show_dataset(dataset_id: RecordId) -> DatasetResponse:
    """Show a dataset and the outcome of its validation."""
    return DatasetResponse.from_domain(
        service(router, DatasetReader).one(owner_of(router), dataset_id)
    )


@router.delete(f"{DATASETS}/<dataset_id>", tags=TAGS)
def delete_dataset(dataset_id: RecordId) -> DeletedDataset:
    """Delete a dataset with its file and its reports, unless a training job uses it."""
    service(router, DatasetDeleter).delete(owner_of(router), dataset_id)
    return DeletedDataset(data=DeletedData(id=dataset_id))


@router.get(f"{DATASETS}/<dataset_id>/upload", tags=TAGS)
def show_upload(dataset_id: RecordId) -> UploadResponse:
    """Show what is missing of a dataset's file, with new links to upload it."""
    upload = service(router, UploadPlanner).resume(owner_of(router), dataset_id)
    return UploadResponse(data=upload)


@router.post(f"{DATASETS}/<dataset_id>/confirm", status_code=202, tags=TAGS)
def confirm_dataset(dataset_id: RecordId) -> DatasetResponse:
    """Confirm that the file was uploaded: its size is checked and its validation starts.

    Repeated while it is validated, or when it is ready, this changes nothing; a dataset in error is
    validated again.
    """
    confirmer = service(router, DatasetConfirmer)
    return DatasetResponse.from_domain(confirmer.confirm(owner_of(router), dataset_id))


@router.get(f"{DATASETS}/<dataset_id>/report", tags=TAGS)
def show_report(dataset_id: RecordId) -> ReportResponse:
    """Return a link to the full report of the newest validation."""
    link = service(router, DatasetReader).report(owner_of(router), dataset_id)
    return ReportResponse(data=link)
