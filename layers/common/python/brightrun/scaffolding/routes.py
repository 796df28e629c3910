"""Routes under /api/scaffolding and /api/templates."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.http.app import owner_of, service
from brightrun.http.schemas import Filter, Identifier
from brightrun.scaffolding import schemas
from brightrun.scaffolding.combination_schemas import CombinationRequest
from brightrun.scaffolding.matching import TemplateCriteria
from brightrun.scaffolding.model import (
    Complexity,
    ConsultantContent,
    EmotionalArc,
    EmotionalArcContent,
    Persona,
    PersonaContent,
    PromptTemplate,
    PromptTemplateContent,
    Tier,
    TrainingTopic,
    TrainingTopicContent,
)
from brightrun.scaffolding.schemas import (
    CompatibilityResponse,
    ConsultantResponse,
    IfMatch,
    IsActive,
    RecordName,
    seen_version,
    with_activity,
)
from brightrun.scaffolding.service import (
    ScaffoldingEditor,
    rank_for_arc,
    rate_combination,
    resolve_template,
    select_for_arc,
)

router = APIGatewayHttpRouter()
PERSONAS = "/api/scaffolding/personas"
ARCS = "/api/scaffolding/emotional-arcs"
TOPICS = "/api/scaffolding/training-topics"
CONSULTANT = "/api/scaffolding/consultant"
TEMPLATES = "/api/templates"
TAGS = ["Scaffolding"]
TEMPLATE_TAGS = ["Templates"]


@router.get(PERSONAS, tags=TAGS)
def list_personas(is_active: IsActive = "true") -> schemas.PersonaList:
    """List the personas."""
    personas = service(router, ScaffoldingEditor).catalog().all(owner_of(router), Persona)
    found = with_activity(personas, is_active)
    return schemas.PersonaList(personas=found, count=len(found))


@router.post(PERSONAS, status_code=201, tags=TAGS)
def create_persona(content: PersonaContent) -> schemas.PersonaResponse:
    """Create a persona; its key must be free."""
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
    """Create an emotional arc; its key must be free."""
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
    """Create a topic; its key must be free."""
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
    """Rate how well a persona, an arc and a topic fit together."""
    catalog = service(router, ScaffoldingEditor).catalog()
    advice = rate_combination(catalog, owner_of(router), **chosen.model_dump())
    return CompatibilityResponse.model_validate(advice)


@router.get(TEMPLATES, tags=TEMPLATE_TAGS)
def list_templates(is_active: IsActive = "true") -> schemas.TemplateList:
    """List the prompt templates."""
    templates = service(router, ScaffoldingEditor).catalog().all(owner_of(router), PromptTemplate)
    found = with_activity(templates, is_active)
    return schemas.TemplateList(templates=found, count=len(found))


@router.post(TEMPLATES, status_code=201, tags=TEMPLATE_TAGS)
def create_template(content: PromptTemplateContent) -> schemas.TemplateResponse:
    """Create a prompt template; its name must be free."""
    template = service(router, ScaffoldingEditor).create(owner_of(router), PromptTemplate, content)
    return schemas.TemplateResponse(template=template)


@router.get(f"{TEMPLATES}/select", tags=TEMPLATE_TAGS)
def rank_templates(
    emotional_arc_type: Annotated[Identifier, Query()],
    tier: Annotated[Tier | None, Query()] = None,
    persona_type: Filter = None,
    topic_key: Filter = None,
) -> schemas.RankedTemplateList:
    """Rank the templates of an arc, best first."""
    criteria = TemplateCriteria(emotional_arc_type, tier, persona_type, topic_key)
    catalog = service(router, ScaffoldingEditor).catalog()
    ranked = rank_for_arc(catalog, owner_of(router), criteria)
    return schemas.RankedTemplateList(templates=ranked)


@router.post(f"{TEMPLATES}/select", tags=TEMPLATE_TAGS)
def select_template(chosen: schemas.SelectTemplateRequest) -> schemas.TemplateResponse:
    """Select a template as a batch does."""
    criteria = TemplateCriteria(
        chosen.emotional_arc_type, chosen.tier, chosen.persona_type, chosen.topic_key
    )
    catalog = service(router, ScaffoldingEditor).catalog()
    return schemas.TemplateResponse(template=select_for_arc(catalog, owner_of(router), criteria))


@router.get(f"{TEMPLATES}/<record_id>", tags=TEMPLATE_TAGS)
def show_template(record_id: RecordName) -> schemas.TemplateResponse:
    """Show a prompt template."""
    return schemas.TemplateResponse(
        template=service(router, ScaffoldingEditor).catalog().template(owner_of(router), record_id)
    )


@router.patch(f"{TEMPLATES}/<record_id>", tags=TEMPLATE_TAGS)
def edit_template(
    record_id: RecordName, changes: schemas.PromptTemplateChanges, if_match: IfMatch = None
) -> schemas.TemplateResponse:
    """Change fields of a prompt template."""
    owner, seen = owner_of(router), seen_version(if_match)
    edited = service(router, ScaffoldingEditor).edit(
        owner, PromptTemplate, record_id, changes.given(), seen
    )
    return schemas.TemplateResponse(template=edited)


@router.delete(f"{TEMPLATES}/<record_id>", tags=TEMPLATE_TAGS)
def deactivate_template(record_id: RecordName) -> schemas.TemplateResponse:
    """Deactivate a prompt template."""
    gone = service(router, ScaffoldingEditor).deactivate(
        owner_of(router), PromptTemplate, record_id
    )
    return schemas.TemplateResponse(template=gone)


@router.post(f"{TEMPLATES}/<record_id>/resolve", tags=TEMPLATE_TAGS)
def resolve(record_id: RecordName, chosen: CombinationRequest) -> schemas.ResolvedTemplate:
    """Render a template for a persona, an arc and a topic."""
    catalog = service(router, ScaffoldingEditor).catalog()
    prompt = resolve_template(catalog, owner_of(router), record_id, **chosen.model_dump())
    return schemas.ResolvedTemplate(
        prompt=prompt.user, system_prompt=prompt.system, length=len(prompt.user)
    )
