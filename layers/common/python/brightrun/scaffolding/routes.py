"""Routes under /api/scaffolding: personas, emotional arcs, topics, the consultant."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.http.app import owner_of, service
from brightrun.http.schemas import Filter
from brightrun.scaffolding import schemas
from brightrun.scaffolding.model import (
    Complexity,
    ConsultantContent,
    EmotionalArc,
    EmotionalArcContent,
    Persona,
    PersonaContent,
    TrainingTopic,
    TrainingTopicContent,
)
from brightrun.scaffolding.schemas import (
    CombinationRequest,
    CompatibilityResponse,
    ConsultantResponse,
    IfMatch,
    IsActive,
    RecordName,
    seen_version,
    with_activity,
)
from brightrun.scaffolding.service import Combination, ScaffoldingEditor, rate_combination

router = APIGatewayHttpRouter()
PERSONAS = "/api/scaffolding/personas"
ARCS = "/api/scaffolding/emotional-arcs"
TOPICS = "/api/scaffolding/training-topics"
TAGS = ["Scaffolding"]


@router.get(PERSONAS, tags=TAGS)
def list_personas(is_active: IsActive = "true") -> schemas.PersonaList:
    """List the personas."""
    personas = service(router, ScaffoldingEditor).catalog().all(owner_of(router), Persona)
    found = with_activity(personas, is_active)
    return schemas.PersonaList(personas=found, count=len(found))


@router.post(PERSONAS, status_code=201, tags=TAGS)
def create_persona(content: PersonaContent) -> schemas.PersonaResponse:
    """Create a persona under a key that is free."""
    persona = service(router, ScaffoldingEditor).create(owner_of(router), Persona, content)
    return schemas.PersonaResponse(persona=persona)


@router.get(f"{PERSONAS}/<record_id>", tags=TAGS)
def show_persona(record_id: RecordName) -> schemas.PersonaResponse:
    """Show a persona."""
    persona = service(router, ScaffoldingEditor).catalog().persona(owner_of(router), record_id)
    return schemas.PersonaResponse(persona=persona)


@router.patch(f"{PERSONAS}/<record_id>", tags=TAGS)
def edit_persona(
    record_id: RecordName, changes: schemas.PersonaChanges, if_match: IfMatch = None
) -> schemas.PersonaResponse:
    """Change fields of a persona."""
    owner, seen = owner_of(router), seen_version(if_match)
    persona = service(router, ScaffoldingEditor).edit(
        owner, Persona, record_id, changes.given(), seen
    )
    return schemas.PersonaResponse(persona=persona)


@router.delete(f"{PERSONAS}/<record_id>", tags=TAGS)
def deactivate_persona(record_id: RecordName) -> schemas.PersonaResponse:
    """Deactivate a persona."""
    persona = service(router, ScaffoldingEditor).deactivate(owner_of(router), Persona, record_id)
    return schemas.PersonaResponse(persona=persona)


@router.get(ARCS, tags=TAGS)
def list_emotional_arcs(is_active: IsActive = "true") -> schemas.EmotionalArcList:
    """List the emotional arcs."""
    arcs = service(router, ScaffoldingEditor).catalog().all(owner_of(router), EmotionalArc)
    found = with_activity(arcs, is_active)
    return schemas.EmotionalArcList(emotional_arcs=found, count=len(found))


@router.post(ARCS, status_code=201, tags=TAGS)
def create_emotional_arc(content: EmotionalArcContent) -> schemas.EmotionalArcResponse:
    """Create an emotional arc under a key that is free."""
    arc = service(router, ScaffoldingEditor).create(owner_of(router), EmotionalArc, content)
    return schemas.EmotionalArcResponse(emotional_arc=arc)


@router.get(f"{ARCS}/<record_id>", tags=TAGS)
def show_emotional_arc(record_id: RecordName) -> schemas.EmotionalArcResponse:
    """Show an emotional arc."""
    arc = service(router, ScaffoldingEditor).catalog().emotional_arc(owner_of(router), record_id)
    return schemas.EmotionalArcResponse(emotional_arc=arc)


@router.patch(f"{ARCS}/<record_id>", tags=TAGS)
def edit_emotional_arc(
    record_id: RecordName, changes: schemas.EmotionalArcChanges, if_match: IfMatch = None
) -> schemas.EmotionalArcResponse:
    """Change fields of an emotional arc."""
    owner, seen = owner_of(router), seen_version(if_match)
    arc = service(router, ScaffoldingEditor).edit(
        owner, EmotionalArc, record_id, changes.given(), seen
    )
    return schemas.EmotionalArcResponse(emotional_arc=arc)


@router.delete(f"{ARCS}/<record_id>", tags=TAGS)
def deactivate_emotional_arc(record_id: RecordName) -> schemas.EmotionalArcResponse:
    """Deactivate an emotional arc."""
    arc = service(router, ScaffoldingEditor).deactivate(owner_of(router), EmotionalArc, record_id)
    return schemas.EmotionalArcResponse(emotional_arc=arc)


@router.get(TOPICS, tags=TAGS)
def list_training_topics(
    is_active: IsActive = "true",
    complexity_level: Annotated[Complexity | None, Query()] = None,
    category: Filter = None,
) -> schemas.TrainingTopicList:
    """List the topics."""
    topics = service(router, ScaffoldingEditor).catalog().all(owner_of(router), TrainingTopic)
    found = tuple(
        topic
        for topic in with_activity(topics, is_active)
        if complexity_level in {None, topic.complexity_level} and category in {None, topic.category}
    )
    return schemas.TrainingTopicList(training_topics=found, count=len(found))


@router.post(TOPICS, status_code=201, tags=TAGS)
def create_training_topic(content: TrainingTopicContent) -> schemas.TrainingTopicResponse:
    """Create a topic under a key that is free."""
    topic = service(router, ScaffoldingEditor).create(owner_of(router), TrainingTopic, content)
    return schemas.TrainingTopicResponse(training_topic=topic)


@router.get(f"{TOPICS}/<record_id>", tags=TAGS)
def show_training_topic(record_id: RecordName) -> schemas.TrainingTopicResponse:
    """Show a topic."""
    topic = service(router, ScaffoldingEditor).catalog().training_topic(owner_of(router), record_id)
    return schemas.TrainingTopicResponse(training_topic=topic)


@router.patch(f"{TOPICS}/<record_id>", tags=TAGS)
def edit_training_topic(
    record_id: RecordName, changes: schemas.TrainingTopicChanges, if_match: IfMatch = None
) -> schemas.TrainingTopicResponse:
    """Change fields of a topic."""
    owner, seen = owner_of(router), seen_version(if_match)
    topic = service(router, ScaffoldingEditor).edit(
        owner, TrainingTopic, record_id, changes.given(), seen
    )
    return schemas.TrainingTopicResponse(training_topic=topic)


@router.delete(f"{TOPICS}/<record_id>", tags=TAGS)
def deactivate_training_topic(record_id: RecordName) -> schemas.TrainingTopicResponse:
    """Deactivate a topic."""
    topic = service(router, ScaffoldingEditor).deactivate(
        owner_of(router), TrainingTopic, record_id
    )
    return schemas.TrainingTopicResponse(training_topic=topic)


CONSULTANT = "/api/scaffolding/consultant"


@router.get(CONSULTANT, tags=TAGS)
def show_consultant() -> ConsultantResponse:
    """Show the caller's consultant."""
    consultant = service(router, ScaffoldingEditor).catalog().consultant(owner_of(router))
    return ConsultantResponse(consultant=consultant)


@router.put(CONSULTANT, tags=TAGS)
def replace_consultant(content: ConsultantContent, if_match: IfMatch = None) -> ConsultantResponse:
    """Replace the caller's consultant."""
    owner, seen = owner_of(router), seen_version(if_match)
    consultant = service(router, ScaffoldingEditor).put_consultant(owner, content, seen)
    return ConsultantResponse(consultant=consultant)


@router.post("/api/scaffolding/check-compatibility", tags=TAGS)
def check_compatibility(chosen: CombinationRequest) -> CompatibilityResponse:
    """Say how well a persona, an arc and a topic fit."""
    combination = Combination(**chosen.model_dump())
    advice = rate_combination(
        service(router, ScaffoldingEditor).catalog(), owner_of(router), combination
    )
    return CompatibilityResponse(
        is_compatible=advice.is_compatible,
        confidence=advice.confidence,
        warnings=advice.warnings,
        suggestions=advice.suggestions,
    )
