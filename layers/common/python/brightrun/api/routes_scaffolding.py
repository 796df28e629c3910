"""Routes under /api/scaffolding: personas, emotional arcs and topics."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun import bootstrap
from brightrun.api import scaffolding_answers as answers
from brightrun.api import scaffolding_changes as changed
from brightrun.api.app import owner_of
from brightrun.api.record_parameters import (
    IfMatch,
    IsActive,
    RecordName,
    seen_version,
    with_activity,
)
from brightrun.api.shapes import Filter
from brightrun.domain.scaffolding import (
    Complexity,
    EmotionalArc,
    EmotionalArcContent,
    Persona,
    PersonaContent,
    TrainingTopic,
    TrainingTopicContent,
)

router = APIGatewayHttpRouter()

PERSONAS = "/api/scaffolding/personas"
ARCS = "/api/scaffolding/emotional-arcs"
TOPICS = "/api/scaffolding/training-topics"
TAGS = ["Scaffolding"]


@router.get(PERSONAS, tags=TAGS)
def list_personas(is_active: IsActive = "true") -> answers.PersonaList:
    """List the personas."""
    personas = bootstrap.scaffolding_editor().catalog().all(owner_of(router), Persona)
    found = with_activity(personas, is_active)
    return answers.PersonaList(personas=found, count=len(found))


@router.post(PERSONAS, status_code=201, tags=TAGS)
def create_persona(content: PersonaContent) -> answers.PersonaAnswer:
    """Create a persona under a key that is free."""
    persona = bootstrap.scaffolding_editor().create(owner_of(router), Persona, content)
    return answers.PersonaAnswer(persona=persona)


@router.get(f"{PERSONAS}/<record_id>", tags=TAGS)
def show_persona(record_id: RecordName) -> answers.PersonaAnswer:
    """Show a persona."""
    persona = bootstrap.scaffolding_editor().catalog().persona(owner_of(router), record_id)
    return answers.PersonaAnswer(persona=persona)


@router.patch(f"{PERSONAS}/<record_id>", tags=TAGS)
def edit_persona(
    record_id: RecordName, changes: changed.PersonaChanges, if_match: IfMatch = None
) -> answers.PersonaAnswer:
    """Change fields of a persona."""
    owner, seen = owner_of(router), seen_version(if_match)
    persona = bootstrap.scaffolding_editor().edit(owner, Persona, record_id, changes.given(), seen)
    return answers.PersonaAnswer(persona=persona)


@router.delete(f"{PERSONAS}/<record_id>", tags=TAGS)
def deactivate_persona(record_id: RecordName) -> answers.PersonaAnswer:
    """Deactivate a persona."""
    persona = bootstrap.scaffolding_editor().deactivate(owner_of(router), Persona, record_id)
    return answers.PersonaAnswer(persona=persona)


@router.get(ARCS, tags=TAGS)
def list_emotional_arcs(is_active: IsActive = "true") -> answers.EmotionalArcList:
    """List the emotional arcs."""
    arcs = bootstrap.scaffolding_editor().catalog().all(owner_of(router), EmotionalArc)
    found = with_activity(arcs, is_active)
    return answers.EmotionalArcList(emotional_arcs=found, count=len(found))


@router.post(ARCS, status_code=201, tags=TAGS)
def create_emotional_arc(content: EmotionalArcContent) -> answers.EmotionalArcAnswer:
    """Create an emotional arc under a key that is free."""
    arc = bootstrap.scaffolding_editor().create(owner_of(router), EmotionalArc, content)
    return answers.EmotionalArcAnswer(emotional_arc=arc)


@router.get(f"{ARCS}/<record_id>", tags=TAGS)
def show_emotional_arc(record_id: RecordName) -> answers.EmotionalArcAnswer:
    """Show an emotional arc."""
    arc = bootstrap.scaffolding_editor().catalog().emotional_arc(owner_of(router), record_id)
    return answers.EmotionalArcAnswer(emotional_arc=arc)


@router.patch(f"{ARCS}/<record_id>", tags=TAGS)
def edit_emotional_arc(
    record_id: RecordName, changes: changed.EmotionalArcChanges, if_match: IfMatch = None
) -> answers.EmotionalArcAnswer:
    """Change fields of an emotional arc."""
    owner, seen = owner_of(router), seen_version(if_match)
    arc = bootstrap.scaffolding_editor().edit(owner, EmotionalArc, record_id, changes.given(), seen)
    return answers.EmotionalArcAnswer(emotional_arc=arc)


@router.delete(f"{ARCS}/<record_id>", tags=TAGS)
def deactivate_emotional_arc(record_id: RecordName) -> answers.EmotionalArcAnswer:
    """Deactivate an emotional arc."""
    arc = bootstrap.scaffolding_editor().deactivate(owner_of(router), EmotionalArc, record_id)
    return answers.EmotionalArcAnswer(emotional_arc=arc)


@router.get(TOPICS, tags=TAGS)
def list_training_topics(
    is_active: IsActive = "true",
    complexity_level: Annotated[Complexity | None, Query()] = None,
    category: Filter = None,
) -> answers.TrainingTopicList:
    """List the topics."""
    topics = bootstrap.scaffolding_editor().catalog().all(owner_of(router), TrainingTopic)
    found = tuple(
        topic
        for topic in with_activity(topics, is_active)
        if complexity_level in {None, topic.complexity_level} and category in {None, topic.category}
    )
    return answers.TrainingTopicList(training_topics=found, count=len(found))


@router.post(TOPICS, status_code=201, tags=TAGS)
def create_training_topic(content: TrainingTopicContent) -> answers.TrainingTopicAnswer:
    """Create a topic under a key that is free."""
    topic = bootstrap.scaffolding_editor().create(owner_of(router), TrainingTopic, content)
    return answers.TrainingTopicAnswer(training_topic=topic)


@router.get(f"{TOPICS}/<record_id>", tags=TAGS)
def show_training_topic(record_id: RecordName) -> answers.TrainingTopicAnswer:
    """Show a topic."""
    topic = bootstrap.scaffolding_editor().catalog().training_topic(owner_of(router), record_id)
    return answers.TrainingTopicAnswer(training_topic=topic)


@router.patch(f"{TOPICS}/<record_id>", tags=TAGS)
def edit_training_topic(
    record_id: RecordName, changes: changed.TrainingTopicChanges, if_match: IfMatch = None
) -> answers.TrainingTopicAnswer:
    """Change fields of a topic."""
    owner, seen = owner_of(router), seen_version(if_match)
    topic = bootstrap.scaffolding_editor().edit(
        owner, TrainingTopic, record_id, changes.given(), seen
    )
    return answers.TrainingTopicAnswer(training_topic=topic)


@router.delete(f"{TOPICS}/<record_id>", tags=TAGS)
def deactivate_training_topic(record_id: RecordName) -> answers.TrainingTopicAnswer:
    """Deactivate a topic."""
    topic = bootstrap.scaffolding_editor().deactivate(owner_of(router), TrainingTopic, record_id)
    return answers.TrainingTopicAnswer(training_topic=topic)
