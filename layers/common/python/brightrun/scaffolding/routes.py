"""Routes under /api/scaffolding and /api/templates."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.core.fields import DEFAULT_DOMAIN, Tier
from brightrun.http.app import owner_of, service
from brightrun.http.etags import IfMatch, seen_versions, with_etag
from brightrun.http.schemas import Filter, Identifier
from brightrun.scaffolding import schemas
from brightrun.scaffolding.combination_schemas import CombinationRequest
from brightrun.scaffolding.domain import installed_packs
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
    TrainingTopic,
    TrainingTopicContent,
)
from brightrun.scaffolding.schemas import (
    CompatibilityResponse,
    ConsultantResponse,
    Domain,
    IsActive,
    RecordName,
    with_activity,
)
from brightrun.scaffolding.service import (
    Combination,
    ScaffoldingEditor,
    preview_template,
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


@router.get("/api/scaffolding/domains", tags=TAGS)
def list_domains() -> schemas.DomainList:
    """List what conversations can be about: the installed domains, the default one first."""
    owner_of(router)
    found = tuple(map(schemas.DomainView.from_domain, installed_packs()))
    return schemas.DomainList(domains=found, count=len(found))


@router.get(PERSONAS, tags=TAGS)
def list_personas(
    is_active: IsActive = "true", domain: Domain = DEFAULT_DOMAIN
) -> schemas.PersonaList:
    """List the personas."""
    personas = service(router, ScaffoldingEditor).catalog().all(owner_of(router), Persona, domain)
    found = with_activity(personas, is_active)
    return schemas.PersonaList(personas=found, count=len(found))


@router.post(PERSONAS, status_code=201, tags=TAGS)
def create_persona(content: PersonaContent) -> Response[schemas.PersonaResponse]:
    """Create a persona; its key must be free."""
    persona = service(router, ScaffoldingEditor).create(owner_of(router), Persona, content)
    return with_etag(schemas.PersonaResponse(persona=persona), persona.version, HTTPStatus.CREATED)


@router.get(f"{PERSONAS}/<record_id>", tags=TAGS)
def show_persona(record_id: RecordName) -> Response[schemas.PersonaResponse]:
    """Show a persona."""
    persona = service(router, ScaffoldingEditor).catalog().persona(owner_of(router), record_id)
    return with_etag(schemas.PersonaResponse(persona=persona), persona.version)


@router.patch(f"{PERSONAS}/<record_id>", tags=TAGS)
def edit_persona(
    record_id: RecordName, changes: schemas.PersonaChanges, if_match: IfMatch = None
) -> Response[schemas.PersonaResponse]:
    """Change fields of a persona."""
    owner, seen = owner_of(router), seen_versions(if_match)
    persona = service(router, ScaffoldingEditor).edit(
        owner, Persona, record_id, changes.given(), seen
    )
    return with_etag(schemas.PersonaResponse(persona=persona), persona.version)


@router.delete(f"{PERSONAS}/<record_id>", tags=TAGS)
def deactivate_persona(
    record_id: RecordName, if_match: IfMatch = None
) -> Response[schemas.PersonaResponse]:
    """Deactivate a persona."""
    owner, seen = owner_of(router), seen_versions(if_match)
    persona = service(router, ScaffoldingEditor).deactivate(owner, Persona, record_id, seen)
    return with_etag(schemas.PersonaResponse(persona=persona), persona.version)


@router.get(ARCS, tags=TAGS)
def list_emotional_arcs(
    is_active: IsActive = "true", domain: Domain = DEFAULT_DOMAIN
) -> schemas.EmotionalArcList:
    """List the emotional arcs."""
    arcs = service(router, ScaffoldingEditor).catalog().all(owner_of(router), EmotionalArc, domain)
    found = with_activity(arcs, is_active)
    return schemas.EmotionalArcList(emotional_arcs=found, count=len(found))


@router.post(ARCS, status_code=201, tags=TAGS)
def create_emotional_arc(content: EmotionalArcContent) -> Response[schemas.EmotionalArcResponse]:
    """Create an emotional arc; its key must be free."""
    arc = service(router, ScaffoldingEditor).create(owner_of(router), EmotionalArc, content)
    return with_etag(
        schemas.EmotionalArcResponse(emotional_arc=arc), arc.version, HTTPStatus.CREATED
    )


@router.get(f"{ARCS}/<record_id>", tags=TAGS)
def show_emotional_arc(record_id: RecordName) -> Response[schemas.EmotionalArcResponse]:
    """Show an emotional arc."""
    arc = service(router, ScaffoldingEditor).catalog().emotional_arc(owner_of(router), record_id)
    return with_etag(schemas.EmotionalArcResponse(emotional_arc=arc), arc.version)


@router.patch(f"{ARCS}/<record_id>", tags=TAGS)
def edit_emotional_arc(
    record_id: RecordName, changes: schemas.EmotionalArcChanges, if_match: IfMatch = None
) -> Response[schemas.EmotionalArcResponse]:
    """Change fields of an emotional arc."""
    owner, seen = owner_of(router), seen_versions(if_match)
    arc = service(router, ScaffoldingEditor).edit(
        owner, EmotionalArc, record_id, changes.given(), seen
    )
    return with_etag(schemas.EmotionalArcResponse(emotional_arc=arc), arc.version)


@router.delete(f"{ARCS}/<record_id>", tags=TAGS)
def deactivate_emotional_arc(
    record_id: RecordName, if_match: IfMatch = None
) -> Response[schemas.EmotionalArcResponse]:
    """Deactivate an emotional arc."""
    owner, seen = owner_of(router), seen_versions(if_match)
    arc = service(router, ScaffoldingEditor).deactivate(owner, EmotionalArc, record_id, seen)
    return with_etag(schemas.EmotionalArcResponse(emotional_arc=arc), arc.version)


@router.get(TOPICS, tags=TAGS)
def list_training_topics(
    is_active: IsActive = "true",
    domain: Domain = DEFAULT_DOMAIN,
    complexity_level: Annotated[Complexity | None, Query()] = None,
    category: Filter = None,
) -> schemas.TrainingTopicList:
    """List the topics."""
    topics = (
        service(router, ScaffoldingEditor).catalog().all(owner_of(router), TrainingTopic, domain)
    )
    found = tuple(
        topic
        for topic in with_activity(topics, is_active)
        if complexity_level in {None, topic.complexity_level} and category in {None, topic.category}
    )
    return schemas.TrainingTopicList(training_topics=found, count=len(found))


@router.post(TOPICS, status_code=201, tags=TAGS)
def create_training_topic(content: TrainingTopicContent) -> Response[schemas.TrainingTopicResponse]:
    """Create a topic; its key must be free."""
    topic = service(router, ScaffoldingEditor).create(owner_of(router), TrainingTopic, content)
    return with_etag(
        schemas.TrainingTopicResponse(training_topic=topic), topic.version, HTTPStatus.CREATED
    )


@router.get(f"{TOPICS}/<record_id>", tags=TAGS)
def show_training_topic(record_id: RecordName) -> Response[schemas.TrainingTopicResponse]:
    """Show a topic."""
    topic = service(router, ScaffoldingEditor).catalog().training_topic(owner_of(router), record_id)
    return with_etag(schemas.TrainingTopicResponse(training_topic=topic), topic.version)


@router.patch(f"{TOPICS}/<record_id>", tags=TAGS)
def edit_training_topic(
    record_id: RecordName, changes: schemas.TrainingTopicChanges, if_match: IfMatch = None
) -> Response[schemas.TrainingTopicResponse]:
    """Change fields of a topic."""
    owner, seen = owner_of(router), seen_versions(if_match)
    topic = service(router, ScaffoldingEditor).edit(
        owner, TrainingTopic, record_id, changes.given(), seen
    )
    return with_etag(schemas.TrainingTopicResponse(training_topic=topic), topic.version)


@router.delete(f"{TOPICS}/<record_id>", tags=TAGS)
def deactivate_training_topic(
    record_id: RecordName, if_match: IfMatch = None
) -> Response[schemas.TrainingTopicResponse]:
    """Deactivate a topic."""
    owner, seen = owner_of(router), seen_versions(if_match)
    topic = service(router, ScaffoldingEditor).deactivate(owner, TrainingTopic, record_id, seen)
    return with_etag(schemas.TrainingTopicResponse(training_topic=topic), topic.version)


@router.get(CONSULTANT, tags=TAGS)
def show_consultant(domain: Domain = DEFAULT_DOMAIN) -> Response[ConsultantResponse]:
    """Show the caller's consultant of a domain."""
    catalog = service(router, ScaffoldingEditor).catalog()
    consultant = catalog.consultant(owner_of(router), domain)
    return with_etag(ConsultantResponse(consultant=consultant), consultant.version)


@router.put(CONSULTANT, tags=TAGS)
def replace_consultant(
    content: ConsultantContent, if_match: IfMatch = None
) -> Response[ConsultantResponse]:
    """Replace the caller's consultant of the domain that the body names."""
    owner, seen = owner_of(router), seen_versions(if_match)
    consultant = service(router, ScaffoldingEditor).put_consultant(owner, content, seen)
    return with_etag(ConsultantResponse(consultant=consultant), consultant.version)


@router.post("/api/scaffolding/check-compatibility", tags=TAGS)
def check_compatibility(chosen: CombinationRequest) -> CompatibilityResponse:
    """Rate how well a persona, an arc and a topic fit together."""
    catalog = service(router, ScaffoldingEditor).catalog()
    advice = rate_combination(catalog, owner_of(router), **chosen.model_dump())
    return CompatibilityResponse.model_validate(advice)


@router.get(TEMPLATES, tags=TEMPLATE_TAGS)
def list_templates(
    is_active: IsActive = "true", domain: Domain = DEFAULT_DOMAIN
) -> schemas.TemplateList:
    """List the prompt templates."""
    templates = (
        service(router, ScaffoldingEditor).catalog().all(owner_of(router), PromptTemplate, domain)
    )
    found = with_activity(templates, is_active)
    return schemas.TemplateList(templates=found, count=len(found))


@router.post(TEMPLATES, status_code=201, tags=TEMPLATE_TAGS)
def create_template(content: PromptTemplateContent) -> Response[schemas.TemplateResponse]:
    """Create a prompt template; its name must be free."""
    template = service(router, ScaffoldingEditor).create(owner_of(router), PromptTemplate, content)
    return with_etag(
        schemas.TemplateResponse(template=template), template.version, HTTPStatus.CREATED
    )


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


@router.post(f"{TEMPLATES}/preview", tags=TEMPLATE_TAGS)
def preview(chosen: schemas.PreviewRequest) -> schemas.PreviewResponse:
    """Render a template or a draft for a persona, an arc and a topic, complete or not."""
    combination = Combination(chosen.persona_id, chosen.emotional_arc_id, chosen.training_topic_id)
    found = preview_template(
        service(router, ScaffoldingEditor).catalog(),
        owner_of(router),
        combination,
        template_id=chosen.template_id,
        template_text=chosen.template_text,
        tier=chosen.tier,
    )
    return schemas.PreviewResponse.from_domain(found)


@router.get(f"{TEMPLATES}/<record_id>", tags=TEMPLATE_TAGS)
def show_template(record_id: RecordName) -> Response[schemas.TemplateResponse]:
    """Show a prompt template."""
    template = service(router, ScaffoldingEditor).catalog().template(owner_of(router), record_id)
    return with_etag(schemas.TemplateResponse(template=template), template.version)


@router.patch(f"{TEMPLATES}/<record_id>", tags=TEMPLATE_TAGS)
def edit_template(
    record_id: RecordName, changes: schemas.PromptTemplateChanges, if_match: IfMatch = None
) -> Response[schemas.TemplateResponse]:
    """Change fields of a prompt template."""
    owner, seen = owner_of(router), seen_versions(if_match)
    edited = service(router, ScaffoldingEditor).edit(
        owner, PromptTemplate, record_id, changes.given(), seen
    )
    return with_etag(schemas.TemplateResponse(template=edited), edited.version)


@router.delete(f"{TEMPLATES}/<record_id>", tags=TEMPLATE_TAGS)
def deactivate_template(
    record_id: RecordName, if_match: IfMatch = None
) -> Response[schemas.TemplateResponse]:
    """Deactivate a prompt template."""
    owner, seen = owner_of(router), seen_versions(if_match)
    gone = service(router, ScaffoldingEditor).deactivate(owner, PromptTemplate, record_id, seen)
    return with_etag(schemas.TemplateResponse(template=gone), gone.version)


@router.post(f"{TEMPLATES}/<record_id>/resolve", tags=TEMPLATE_TAGS)
def resolve(record_id: RecordName, chosen: CombinationRequest) -> schemas.ResolvedTemplate:
    """Render a template for a persona, an arc and a topic."""
    catalog = service(router, ScaffoldingEditor).catalog()
    prompt = resolve_template(catalog, owner_of(router), record_id, **chosen.model_dump())
    return schemas.ResolvedTemplate(
        prompt=prompt.user, system_prompt=prompt.system, length=len(prompt.user)
    )
