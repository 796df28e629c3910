"""The routes of training files."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.http.app import owner_of, service
from brightrun.http.schemas import Cursor, Limit, RecordId
from brightrun.training_files.build_training_file import TrainingFileBuilder
from brightrun.training_files.model import MOST_VERSIONS, FileFormat
from brightrun.training_files.schemas import (
    ConversationsToAdd,
    ImportableList,
    NewTrainingFile,
    TrainingFileDetails,
    TrainingFileLink,
    TrainingFileList,
    TrainingFileResponse,
)
from brightrun.training_files.service import TrainingFileReader

router = APIGatewayHttpRouter()
FILES = "/api/training-files"
TAGS = ["Training files"]
Version = Annotated[
    int | None,
    Query(ge=1, le=MOST_VERSIONS, description="The version's number; the newest by default."),
]


@router.post(FILES, status_code=201, tags=TAGS)
def create_training_file(body: NewTrainingFile) -> TrainingFileResponse:
    """Create a training file from up to 80 conversations, in the order of the request.

    If any of them is not eligible or has the same text as another one, all of those are listed in
    `details` and no file is created.
    """
    file = service(router, TrainingFileBuilder).create(
        owner_of(router),
        name=body.name,
        description=body.description,
        selection=body.to_selection(),
    )
    return TrainingFileResponse.from_domain(file)


@router.get(FILES, tags=TAGS)
def list_training_files(limit: Limit = 25, cursor: Cursor = None) -> TrainingFileList:
    """List the caller's training files, newest first."""
    reader = service(router, TrainingFileReader)
    return TrainingFileList.from_domain(reader.page(owner_of(router), limit=limit, cursor=cursor))


@router.get(f"{FILES}/available-for-import", tags=TAGS)
def list_importable_training_files() -> ImportableList:
    """List the training files, and those that a dataset can be created from."""
    return ImportableList.from_domain(service(router, TrainingFileReader).all(owner_of(router)))


@router.get(f"{FILES}/<file_id>", tags=TAGS)
def show_training_file(file_id: RecordId) -> TrainingFileDetails:
    """Show a training file and all its versions."""
    return TrainingFileDetails.from_domain(
        service(router, TrainingFileReader).one(owner_of(router), file_id)
    )


@router.post(f"{FILES}/<file_id>/add-conversations", tags=TAGS)
def add_conversations(file_id: RecordId, body: ConversationsToAdd) -> TrainingFileResponse:
    """Create the file's next version, with up to 80 more conversations; older versions stay."""
    builder = service(router, TrainingFileBuilder)
    return TrainingFileResponse.from_domain(
        builder.add(owner_of(router), file_id, body.to_selection())
    )


@router.get(f"{FILES}/<file_id>/download", tags=TAGS)
def download_training_file(
    file_id: RecordId,
    file_format: Annotated[FileFormat, Query(alias="format")] = "json",
    version: Version = None,
) -> TrainingFileLink:
    """Create a short-lived link to training.json or training.jsonl."""
    reader = service(router, TrainingFileReader)
    link = reader.download(owner_of(router), file_id, file_format, version)
    return TrainingFileLink.model_validate(link)
