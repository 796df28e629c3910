"""The routes of training files."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.openapi.types import (
    OpenAPIResponse,
    OpenAPIResponseContentModel,
    OpenAPIResponseContentSchema,
)
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.core.limits import MOST_VERSIONS
from brightrun.http.app import owner_of, service
from brightrun.http.bodies import JSON
from brightrun.http.schemas import Cursor, IdempotencyKey, Limit, RecordId
from brightrun.training_files.build_training_file import TrainingFileBuilder
from brightrun.training_files.find_duplicates import DuplicateFinder
from brightrun.training_files.model import FileFormat, TrainingFile
from brightrun.training_files.preferences import PreferenceExporter
from brightrun.training_files.schemas import (
    ConversationsToAdd,
    ConversationsToCompare,
    ConversationsToMeasure,
    DiversityResponse,
    DuplicateList,
    EditedConversations,
    ImportableList,
    NewTrainingFile,
    PreferenceList,
    SelectionPreviewResponse,
    SelectionToCheck,
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


def _responses(status: int, done: str) -> dict[int, OpenAPIResponse]:
    content: dict[str, OpenAPIResponseContentSchema | OpenAPIResponseContentModel] = {
        JSON: {"model": TrainingFileResponse}
    }
    return {
        status: {"description": done, "content": content},
        202: {"description": "The version is being built in the background", "content": content},
    }


@router.post(FILES, status_code=201, responses=_responses(201, "The file was created"), tags=TAGS)
def create_training_file(
    body: NewTrainingFile, idempotency_key: IdempotencyKey = None
) -> Response[TrainingFileResponse]:
    """Create a training file from conversations: up to 80 at once, up to 50,000 in the background.

    If any of a strict selection is not eligible or has the same text as another one, all of those
    are listed in `details` and no version is created. A build in the background is answered with
    202; the file's `build` shows how far it is, and why it failed, if it does.
    """
    file = service(router, TrainingFileBuilder).create(
        owner_of(router),
        name=body.name,
        description=body.description,
        selection=body.to_selection(),
        idempotency_key=idempotency_key,
    )
    return _answer(file, 201)


@router.post(f"{FILES}/preview", tags=TAGS)
def preview_training_file(body: SelectionToCheck) -> SelectionPreviewResponse:
    """Say how many conversations of a selection are eligible, and build nothing.

    Checks up to 1,000 conversations from `position` on; their texts are not compared.
    """
    preview = service(router, TrainingFileBuilder).preview(
        owner_of(router), body.to_selection(), body.position
    )
    return SelectionPreviewResponse.from_domain(preview)


@router.post("/api/conversations/duplicates", tags=TAGS)
def list_duplicates(body: ConversationsToCompare) -> DuplicateList:
    """List which of up to 500 conversations have the same text, as a training file refuses them."""
    finder = service(router, DuplicateFinder)
    found = finder.find(owner_of(router), body.conversation_ids)
    return DuplicateList.model_validate(found)


@router.post("/api/conversations/diversity", tags=TAGS)
def measure_diversity(body: ConversationsToMeasure) -> DiversityResponse:
    """Measure how much conversations differ: of a batch by its filter, or of the whole library.

    Reads at most 500, evenly spaced among those that match, and says how many.
    """
    finder = service(router, DuplicateFinder)
    found = finder.diversity(owner_of(router), body.to_selection())
    return DiversityResponse.model_validate(found)


@router.post("/api/conversations/preferences", tags=TAGS)
def export_preferences(body: EditedConversations) -> PreferenceList:
    """Give edited answers as preference data: the present text chosen, the first one rejected.

    Looks at up to 256 conversations from `position` on. Each record is a line for DPO; training
    here learns answers themselves, and does not take it.
    """
    exporter = service(router, PreferenceExporter)
    page = exporter.page(owner_of(router), body.to_selection(), body.position)
    return PreferenceList.model_validate(page)


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


@router.post(
    f"{FILES}/<file_id>/add-conversations",
    responses=_responses(200, "The version was created"),
    tags=TAGS,
)
def add_conversations(
    file_id: RecordId, body: ConversationsToAdd, idempotency_key: IdempotencyKey = None
) -> Response[TrainingFileResponse]:
    """Create the file's next version, with more conversations; older versions stay.

    Up to 80 are added at once, others in the background, as when a file is created. A file whose
    first build failed gets its version 1.
    """
    builder = service(router, TrainingFileBuilder)
    file = builder.add(owner_of(router), file_id, body.to_selection(), idempotency_key)
    return _answer(file, 200)


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


def _answer(file: TrainingFile, status: int) -> Response[TrainingFileResponse]:
    is_building = file.build is not None and file.build.status == "building"
    return Response(
        status_code=202 if is_building else status,
        content_type=JSON,
        body=TrainingFileResponse.from_domain(file),
    )
